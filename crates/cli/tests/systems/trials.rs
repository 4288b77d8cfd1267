//! What must hold for each of the examples, however different they are.

use std::io::Write;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::Command;
use std::time::Duration;

use super::compose;
use super::door::{Answer, Door, answered};
use super::example::{Example, docker};
use super::site::wait_until;

/// What the program and a person write together.
const OVERLAY: &str = "compose.production.yaml";

/// Developed with Docker Compose as ever: it answers with 200 at `path`, and no file is another one after it.
pub fn develops(example: &Example, port_variable: &str, path: &str) {
    let before = example.files();
    example.compose(&compose(), &["up", "--detach", "--build", "--quiet-pull"], port_variable);
    wait_until("what is developed answers", || answers(example, path));
    example.compose(&compose(), &["down", "--volumes", "--timeout", "2"], port_variable);
    assert!(example.files() == before, "no file was changed");
}

pub fn answers(example: &Example, path: &str) -> bool {
    example.request("GET", path, "", "").is_ok_and(|answer| answer.status == 200)
}

/// What the first instance of a service answers, asked past the gateway.
pub fn asked_directly(example: &Example, service: &str, port: u16, path: &str) -> Result<Answer, String> {
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
    let addresses = docker(&["inspect", "--format", format, &example.containers(service)[0]]).concat();
    let address = addresses.split_whitespace().next().expect("it has an address").parse().unwrap();
    let patience = Duration::from_secs(20);
    let stream = TcpStream::connect_timeout(&SocketAddr::new(address, port), patience);
    let mut stream = stream.map_err(|error| format!("connect: {error}"))?;
    stream.set_read_timeout(Some(patience)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(|error| format!("send: {error}"))?;
    answered(stream)
}

/// The development file has findings of high or more, all of these among them; production has none from low on.
pub fn is_checked(example: &Example, rules: &[&str]) {
    let development = example.ends(1, 1, &["-e", "development", "check"]);
    for rule in rules {
        // What is merely absent is told in lines of their own: how severe, which rule, what.
        let absent = development.stdout.lines().any(|line| line.split_whitespace().nth(1) == Some(rule));
        let told = absent || development.stdout.contains(&format!("[{rule}]"));
        assert!(told, "{rule}: {}", development.stdout);
    }
    example.ends(0, 1, &["check", "--fail-on", "low"]);
}

/// What its services may do was found by running them: found out anew, it is what the overlay says, and nothing is changed.
pub fn is_proven(example: &Example, services: &[&str]) {
    let overlay = example.text(OVERLAY);
    let again = example.ends(0, 1, &[&["harden", "--prove"], services].concat());
    assert!(again.stderr.contains("needs no change"), "{}", again.all());
    assert_eq!(example.text(OVERLAY), overlay);
}

/// Without what a proof wrote of a service the check asks for it, and a proof finds the same again, with what was seen.
pub fn comes_from_a_proof(example: &Example, service: &str) {
    let overlay = example.text(OVERLAY);
    let promised = resolved(example, service);
    let (bare, evidence) = without_proof(&overlay, service);
    assert!(evidence.len() > 3, "{overlay}");
    example.write(OVERLAY, &bare);
    let asked = example.ends(1, 1, &["check", "--fail-on", "medium"]).stdout;
    assert!(asked.contains(&format!("`{service}` keeps rights it does not need")), "{asked}");
    example.ends(0, 1, &["harden", "--prove", service]);
    let (_, again) = without_proof(&example.text(OVERLAY), service);
    assert_eq!(resolved(example, service), promised);
    // The version is that of the test.
    let of = |lines: &[String]| lines.iter().filter(|line| !line.contains("# proven on ")).cloned().collect();
    let (mut before, mut after): (Vec<String>, Vec<String>) = (of(&evidence), of(&again));
    before.sort();
    after.sort();
    assert_eq!(after, before);
    example.write(OVERLAY, &overlay);
}

fn resolved(example: &Example, service: &str) -> serde_json::Value {
    let text = example.ends(0, 1, &["config", "--format", "json"]).stdout;
    let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
    whole["services"][service].clone()
}

/// The overlay without what a proof wrote of a service, and what it had seen.
fn without_proof(overlay: &str, service: &str) -> (String, Vec<String>) {
    let (mut bare, mut evidence) = (String::new(), Vec::new());
    let (mut within, mut above) = (false, false);
    for line in overlay.lines() {
        let told = line.trim_start().starts_with("# proven ");
        if line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':') {
            within = line.trim() == format!("{service}:");
        }
        match (within, told, above) {
            (true, true, _) => evidence.push(line.to_owned()),
            // The key that it is about stands on one line.
            (true, false, true) => {}
            _ => bare.push_str(&format!("{line}\n")),
        }
        above = told;
    }
    (bare, evidence)
}

/// Without its secrets, or with what everybody knows, nothing is started, and one message names every one of them.
pub fn refuses(example: &Example, secrets: &[&str]) {
    let filled = std::fs::read_to_string(example.project().join(".env.production")).unwrap();
    for value in ["", "change-me-in-production"] {
        let poor = |line: &str| match line.split_once('=') {
            Some((name, _)) if secrets.contains(&name) => format!("{name}={value}\n"),
            _ => format!("{line}\n"),
        };
        example.write(".env.production", &filled.lines().map(poor).collect::<String>());
        let refused = example.run(1, &["deploy", "-y"]);
        assert!([1, 2].contains(&refused.code), "{}", refused.all());
        for secret in secrets {
            assert!(refused.all().contains(&format!("`{secret}`")), "{secret}: {}", refused.all());
        }
        assert_eq!(example.left(&["ps", "--all"]), [""; 0], "nothing was started");
    }
    example.write(".env.production", &filled);
}

/// What runs is what was promised, and a second deploy has nothing to do.
pub fn is_kept(example: &Example) {
    let again = example.ends(0, 1, &["deploy", "-y"]);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    let verified = example.ends(0, 1, &["verify"]);
    assert!(verified.stdout.contains("0 broken, 0 not seen"), "{}", verified.stdout);
}

/// No container publishes a port, and none of `ports` is reached from outside; the gateway's is.
pub fn only_the_gateway_is_reached(example: &Example, ports: &[u16], taken: &[u16]) {
    for container in example.left(&["ps"]) {
        let published = docker(&["port", &container]);
        assert_eq!(published, [""; 0], "{container} publishes");
    }
    assert!(is_reached(example.port), "the gateway is reached");
    for port in ports.iter().filter(|port| !taken.contains(port)) {
        assert!(!is_reached(*port), "{port} is refused");
    }
}

/// Which of `ports` somebody else listens on already: they say nothing about the example.
pub fn taken(ports: &[u16]) -> Vec<u16> {
    ports.iter().copied().filter(|port| is_reached(*port)).collect()
}

/// Whether a port answers at the address by which other machines find this one.
fn is_reached(port: u16) -> bool {
    // Nothing is sent: the system only says which address it would send from.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let outside = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr());
    let address = outside.map_or_else(|_| [127, 0, 0, 1].into(), |address| address.ip());
    TcpStream::connect_timeout(&SocketAddr::new(address, port), Duration::from_secs(2)).is_ok()
}

/// From a container of one service another one is reached by no name and at no address.
pub fn cannot_reach(example: &Example, from: &str, to: &str, port: u16) {
    let from = &example.containers(from)[0];
    assert_eq!(tried(from, to, port), "no", "{from} finds {to} by its name");
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
    let addresses = docker(&["inspect", "--format", format, &example.containers(to)[0]]).concat();
    assert!(!addresses.trim().is_empty(), "{to} has an address");
    for address in addresses.split_whitespace() {
        assert_eq!(tried(from, address, port), "no", "{from} reaches {to} at {address}");
    }
}

/// From a container of one service another one is reached: what `cannot_reach` is told by.
pub fn reaches(example: &Example, from: &str, to: &str, port: u16) {
    assert_eq!(tried(&example.containers(from)[0], to, port), "yes", "{from} reaches {to}");
}

fn tried(container: &str, host: &str, port: u16) -> String {
    let attempt = format!("timeout 2 bash -c '</dev/tcp/{host}/{port}' 2>/dev/null && echo yes || echo no");
    docker(&["exec", container, "sh", "-c", &attempt]).concat()
}

/// No container of the project has one of these among its variables or in its command line.
pub fn has_secrets_as_files(example: &Example, secrets: &[String]) {
    let verified = example.ends(0, 1, &["verify"]).stdout;
    assert!(!verified.contains("credentials come as variables"), "{verified}");
    let containers = example.left(&["ps"]);
    let words: Vec<&str> = ["inspect"].into_iter().chain(containers.iter().map(String::as_str)).collect();
    let told = docker(&words).concat();
    assert!(told.contains("com.docker.compose.service"), "containers were looked at");
    for container in &containers {
        let inside =
            docker(&["exec", container, "sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ"]);
        let inside = inside.concat();
        assert!(inside.contains("PATH="), "processes of {container} were looked at");
        for secret in secrets {
            assert!(!told.contains(secret) && !inside.contains(secret), "a secret shows in {container}");
        }
    }
}

/// What was tuned of Redis is in effect in the server that runs. `password` is how a shell in its container gets at it.
pub fn redis_is_tuned(example: &Example, password: &str, settings: &[(&str, &str)]) {
    let container = &example.containers("redis")[0];
    for (name, value) in settings {
        let ask = format!("REDISCLI_AUTH=\"{password}\" redis-cli config get {name}");
        assert_eq!(docker(&["exec", container, "sh", "-c", &ask]), [*name, *value]);
    }
}

/// Their health is asked for as often as production says: in development a second or two is no load.
pub fn is_asked_every(example: &Example, interval: &str, services: &[&str]) {
    for service in services {
        let format = "{{.Config.Healthcheck.Interval}}";
        let told = docker(&["inspect", "--format", format, &example.containers(service)[0]]).concat();
        assert_eq!(told, interval, "{service}");
    }
}

/// Kills an instance as a crash does, from outside; as many as before are there again, by themselves.
pub fn survives_a_kill(example: &Example, service: &str) {
    let before = started(example, service);
    let killed = &before[0];
    let (container, _) = killed.split_once(' ').unwrap();
    let process = docker(&["inspect", "--format", "{{.State.Pid}}", container]).concat();
    assert!(Command::new("kill").args(["-9", &process]).status().unwrap().success());
    wait_until("the killed instance is there again", || {
        let now = started(example, service);
        now.len() == before.len() && !now.contains(killed)
    });
    wait_until("every instance is ready again", || {
        let ready = format!("{0}/{0}", before.len());
        let status = example.run(1, &["status"]).stdout;
        status.lines().any(|line| line.starts_with(service) && line.contains(&ready))
    });
}

/// Containers of a service that run, with the moment each began.
fn started(example: &Example, service: &str) -> Vec<String> {
    let containers = example.containers(service);
    let look = ["inspect", "--format", "{{.Id}} {{.State.StartedAt}}"];
    let words: Vec<&str> = look.into_iter().chain(containers.iter().map(String::as_str)).collect();
    if containers.is_empty() { Vec::new() } else { docker(&words) }
}

/// Staging comes up beside production and goes again; production does not notice.
pub fn stands_beside_staging(example: &Example, port: u16, path: &str) {
    stands_beside_staging_used(example, port, path, |_| ());
}

/// The same, with staging used for something.
pub fn stands_beside_staging_used(example: &Example, port: u16, path: &str, used: impl FnOnce(Door)) {
    let before = example.left(&["ps"]);
    example.ends(0, 1, &["-e", "staging", "deploy", "-y"]);
    let staging = super::door::exchange(example.door(port), "GET", path, "", "").unwrap();
    assert_eq!(staging.status, 200, "{}", staging.body);
    used(example.door(port));
    // Twice as much as ever runs on the machine: a probe may be late once.
    wait_until("staging is as promised", || example.run(1, &["-e", "staging", "verify"]).code == 0);
    wait_until("production answers", || answers(example, path));
    example.ends(0, 1, &["-e", "staging", "down", "-y", "--volumes"]);
    assert_eq!(example.left_in("staging", &["ps", "--all"]), [""; 0]);
    assert_eq!(example.left(&["ps"]), before, "production is as it was");
}

/// A request has one id: in its answer, in the access log of the gateway, and in the JSON log of the application.
pub fn bears_one_id(example: &Example, service: &str, path: &str) {
    let answer = example.request("GET", path, "", "").unwrap();
    let mut headers = answer.head.lines().filter_map(|line| line.split_once(": "));
    let (_, id) =
        headers.find(|(name, _)| name.eq_ignore_ascii_case("x-request-id")).expect("the answer bears its id");
    let bears = |line: &str| {
        let value: Option<serde_json::Value> = serde_json::from_str(line).ok();
        value.is_some_and(|value| value["request_id"] == id)
    };
    wait_until("the gateway tells of it", || example.access_log().lines().any(bears));
    wait_until("the application tells of it", || {
        let told = example.ends(0, 1, &["logs", service]).stdout;
        told.lines().filter_map(|line| line.split_once("| ")).any(|(_, line)| bears(line))
    });
}
