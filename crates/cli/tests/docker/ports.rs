//! Published ports that nobody says anything of, on a real Docker Engine: databases answer through the gateway, and a
//! service behind one port is rolled with no failed connection.
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::docker;
use super::site::{Ran, Site, free_port};

/// A project of a test's own; all of it is gone with the test.
struct Containers {
    site: Site,
    name: String,
}

impl Containers {
    fn new(services: impl FnOnce(&Site) -> String) -> Self {
        let site = Site::new();
        let name = format!("tcp{}", site.port);
        let rollout = "x-seaworthy:\n  rollout: { ready_deadline: 30s, min_healthy: 300ms, drain: 2s }\n";
        site.write("compose.yaml", &format!("name: {name}\nservices:\n{}{rollout}", services(&site)));
        Self { site, name }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.site.run(&[&["--engine", "docker"], arguments].concat())
    }

    fn done(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "`seaworthy {}` failed:\n{}", arguments.join(" "), ran.all());
        ran
    }

    /// Ids of the project's containers.
    fn containers(&self) -> Vec<String> {
        let label = format!("label=com.docker.compose.project={}-production", self.name);
        docker(&["ps", "--all", "--quiet", "--filter", &label])
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        let _ = self.run(&["down", "-y", "--volumes"]);
        for tag in docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]) {
            let project = format!("{}-production", self.name);
            if tag.starts_with(&format!("{project}-"))
                || tag.starts_with(&format!("seaworthy-kept:{project}."))
            {
                docker(&["rmi", &tag]);
            }
        }
    }
}

/// Says something over a connection of its own and reads until `enough` came.
fn say(port: u16, bytes: &[u8], enough: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>, String> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))
        .map_err(|error| format!("connect: {error}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).map_err(|error| error.to_string())?;
    stream.write_all(bytes).map_err(|error| format!("send: {error}"))?;
    let (mut came, mut buffer) = (Vec::new(), [0; 4096]);
    while !enough(&came) {
        match stream.read(&mut buffer).map_err(|error| format!("receive: {error}"))? {
            0 => return Err(format!("it ended after {came:?}")),
            length => came.extend_from_slice(&buffer[..length]),
        }
    }
    Ok(came)
}

#[test]
fn databases_answer_at_the_ports_that_the_file_publishes() {
    let second = free_port();
    let shop = Containers::new(|site| {
        format!(
            "  db:
    image: postgres:17
    # seaworthy:ignore literal-credential a database that lives as long as a test
    environment: {{ POSTGRES_PASSWORD: unused }}
    ports: [\"127.0.0.1:{}:5432\"]
    volumes: [\"data:/var/lib/postgresql/data\"]
  cache:
    image: redis:8
    ports: [\"127.0.0.1:{second}:6379\"]
volumes:
  data:
",
            site.port
        )
    });
    // Somebody else has a port: said by the plan, and nothing is changed.
    let taken = TcpListener::bind(("127.0.0.1", second)).unwrap();
    for command in [["plan"].as_slice(), &["deploy", "-y"]] {
        let refused = shop.run(command);
        assert_eq!(refused.code, 2, "{}", refused.all());
        for part in [format!("`127.0.0.1:{second}` is taken"), format!("sport = :{second}")] {
            assert!(refused.stderr.contains(&part), "{part} in {}", refused.stderr);
        }
        assert_eq!(shop.containers(), [""; 0]);
    }
    drop(taken);

    shop.done(&["deploy", "-y"]);
    let status = shop.done(&["status"]).stdout;
    assert!(
        status.contains(&format!("127.0.0.1:{}", shop.site.port)) && !status.contains("http://"),
        "{status}"
    );
    // SSLRequest, which is answered with one letter.
    let request = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    let answer = say(shop.site.port, &request, |came| !came.is_empty()).unwrap();
    assert!(matches!(answer.as_slice(), b"N" | b"S"), "{answer:?}");
    assert_eq!(say(second, b"PING\r\n", |came| came.ends_with(b"\r\n")).unwrap(), b"+PONG\r\n");
    let again = shop.done(&["deploy", "-y"]);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
}

#[test]
fn three_replicas_behind_one_port_are_rolled_with_no_failed_connection() {
    let shop = Containers::new(|site| {
        format!(
            "  web:
    build: ./image
    ports: [\"127.0.0.1:{}:8080\"]
    environment: {{ GREETING: hello, PORT: \"8080\", LISTEN: 0.0.0.0 }}
    deploy: {{ replicas: 3 }}
    stop_grace_period: 1s
",
            site.port
        )
    });
    image(&shop);
    let first = shop.done(&["deploy", "-y"]);
    assert!(first.all().contains("port 8080 of `web` is passed through as TCP"), "{}", first.all());
    let port = shop.site.port;
    assert_eq!(ask(port).unwrap(), "version 001 greeting hello");

    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let stop = stop.clone();
            std::thread::spawn(move || {
                let (mut answered, mut failures) = (0, Vec::new());
                while !stop.load(Ordering::SeqCst) {
                    match ask(port) {
                        Ok(_) => answered += 1,
                        Err(failure) => failures.push(failure),
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
                (answered, failures)
            })
        })
        .collect();
    // One that is kept open over the rollout is told when its time is up.
    let mut kept = TcpStream::connect(("127.0.0.1", port)).unwrap();
    kept.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    for version in [2, 3] {
        shop.site.install(version);
        image(&shop);
        let rolled = shop.done(&["deploy", "-y"]);
        assert!(rolled.all().contains("closed when they are still open after 2 s"), "{}", rolled.all());
        assert_eq!(ask(port).unwrap(), format!("version {version:03} greeting hello"));
    }
    assert!(!matches!(kept.read(&mut [0; 16]), Ok(1..)), "it was closed");
    stop.store(true, Ordering::SeqCst);
    let (mut answered, mut failures) = (0, Vec::new());
    for client in clients {
        let (more, failed) = client.join().unwrap();
        answered += more;
        failures.extend(failed);
    }
    assert_eq!(failures, Vec::<String>::new(), "of {answered}");
    assert!(answered > 200, "only {answered} connections");
}

/// What the sample says; it keeps its side open.
fn ask(port: u16) -> Result<String, String> {
    let came = say(port, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", |came| came.ends_with(b"greeting hello"))?;
    let text = String::from_utf8_lossy(&came).into_owned();
    Ok(text.rsplit("\r\n").next().unwrap_or_default().to_owned())
}

/// Puts the sample program and the libraries it needs among the sources of the image.
fn image(shop: &Containers) {
    let project = shop.site.project();
    let root = project.join("image/root");
    std::fs::create_dir_all(root.join("bin")).unwrap();
    shop.site.write("image/root/owner", &shop.name);
    shop.site.write("image/Dockerfile", "FROM scratch\nCOPY root/ /\nENTRYPOINT [\"/bin/sample\"]\n");
    let program = project.join("bin/web");
    std::fs::copy(&program, root.join("bin/sample")).unwrap();
    super::containers::libraries(&program, &root);
}
