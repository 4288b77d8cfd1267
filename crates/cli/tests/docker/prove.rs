//! Hardening that is proven on a real Docker Engine: healthy with what is kept, broken without any one of it, nothing
//! left behind, and a second proof changes nothing.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::containers::docker;
use crate::site::{Ran, free_port, wait_until};

/// Proves the databases and queues that take their time, too. It takes some minutes.
const ALL: &str = "SEAWORTHY_TEST_ALL_PROOFS";
/// How long a container may take to show that it is broken.
const SHOWS: Duration = Duration::from_secs(30);
/// A secret that no try may be given.
const SECRET: &str = "Live-5e1f0c7d9b";

/// A project in a folder of its own, with a state of its own.
struct Bench {
    folder: tempfile::TempDir,
    name: String,
}

impl Bench {
    fn new(services: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("seaworthy-proof-").tempdir().unwrap();
        let name = format!("prove{}", free_port());
        let bench = Self { folder, name };
        std::fs::create_dir_all(bench.project()).unwrap();
        let rollout = "x-seaworthy: { rollout: { min_healthy: 1s } }\n";
        bench.write("compose.yaml", &format!("name: {}\n{rollout}services:\n{services}", bench.name));
        bench.write(".env", &format!("SECRET={SECRET}\n"));
        bench
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.project().join(name), text).unwrap();
    }

    fn overlay(&self) -> String {
        std::fs::read_to_string(self.project().join("compose.production.yaml")).unwrap_or_default()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seaworthy"));
        command
            .args(arguments)
            .current_dir(self.project())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("SEAWORTHY_STATE", self.folder.path().join("state"))
            .env("DOCKER_HOST", std::env::var("DOCKER_HOST").unwrap_or_default())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Proves and gives what was found of each service.
    fn proven(&self) -> Vec<Value> {
        let ran = self.run(&["harden", "--prove", "--format", "json"]);
        assert_eq!(ran.code, 0, "{}", ran.all());
        let told: Value = serde_json::from_str(&ran.stdout).unwrap();
        told["services"].as_array().unwrap().clone()
    }

    /// What the engine has of the tries.
    fn left(&self) -> Vec<String> {
        let label = format!("label=dev.seaworthy.project={}-production-proof", self.name);
        let kinds: [&[&str]; 3] = [&["ps", "--all"], &["network", "ls"], &["volume", "ls"]];
        let mut left: Vec<String> = kinds
            .iter()
            .flat_map(|kind| docker(&[kind, &["--quiet", "--filter", &label][..]].concat()))
            .collect();
        let kept = format!("seaworthy-kept:{}-production-proof.", self.name);
        let images = docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]);
        left.extend(images.into_iter().filter(|tag| tag.starts_with(&kept)));
        left
    }

    /// Proves twice: nothing is left, nothing real was seen, and the second proof changes nothing.
    fn proven_for_good(&self) -> Vec<Value> {
        let first = self.proven();
        assert_eq!(self.left(), [""; 0]);
        let overlay = self.overlay();
        assert!(overlay.contains("# proven on "), "{overlay}");
        assert!(!overlay.contains(SECRET), "a secret is in the overlay");
        let config = self.run(&["config", "-q"]);
        assert_eq!(config.code, 0, "{}", config.all());
        assert_eq!(rights(&self.proven()), rights(&first));
        assert_eq!(self.overlay(), overlay, "the same result changes nothing");
        first
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let label = format!("label=dev.seaworthy.project={}-production-proof", self.name);
        for id in docker(&["ps", "--all", "--quiet", "--filter", &label]) {
            docker(&["rm", "--force", "--volumes", &id]);
        }
        for kind in ["network", "volume"] {
            for id in docker(&[kind, "ls", "--quiet", "--filter", &label]) {
                docker(&[kind, "rm", &id]);
            }
        }
    }
}

fn rights(proven: &[Value]) -> Vec<Value> {
    proven.iter().map(|one| one["proof"]["rights"].clone()).collect()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A container made by hand with what was proven.
struct Container {
    id: String,
}

impl Container {
    fn start(image: &str, rights: &Value, without: Option<&str>, more: &[&str], command: &[&str]) -> Self {
        let mut words: Vec<String> = ["run", "--detach", "--network", "none"].map(str::to_owned).to_vec();
        if rights["no_new_privileges"] == true {
            words.extend(["--security-opt".to_owned(), "no-new-privileges:true".to_owned()]);
        }
        words.extend(rights["user"].as_str().map(|user| format!("--user={user}")));
        if !rights["capabilities"].is_null() {
            words.push("--cap-drop=ALL".to_owned());
        }
        let kept = |items: &Value| texts(items).into_iter().filter(|item| Some(item.as_str()) != without);
        words.extend(kept(&rights["capabilities"]).map(|one| format!("--cap-add={one}")));
        if !rights["writable"].is_null() {
            words.push("--read-only".to_owned());
        }
        let owner = rights["user"].as_str().and_then(|user| user.split_once(':'));
        let owner = owner.map_or_else(String::new, |(uid, gid)| format!(":uid={uid},gid={gid}"));
        words.extend(kept(&rights["writable"]).map(|folder| format!("--tmpfs={folder}{owner}")));
        words.extend(more.iter().chain(&[image]).chain(command).map(|word| (*word).to_owned()));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let id = docker(&words).first().cloned().unwrap_or_default();
        Self { id }
    }

    fn runs(&self) -> bool {
        docker(&["inspect", "--format", "{{.State.Running}}", &self.id]).concat() == "true"
    }

    fn is_healthy(&self, test: &str) -> bool {
        let output = Command::new("docker").args(["exec", &self.id, "/bin/sh", "-c", test]).output().unwrap();
        output.status.success()
    }

    /// Whether it ends, or never passes its test.
    fn breaks(&self, test: &str) -> bool {
        let until = Instant::now() + SHOWS;
        while Instant::now() < until {
            if !self.runs() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(200));
            if self.is_healthy(test) {
                // What fails a moment after it answers is broken, too.
                std::thread::sleep(Duration::from_secs(1));
                return !self.runs() || !self.is_healthy(test);
            }
        }
        true
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        docker(&["rm", "--force", "--volumes", &self.id]);
    }
}

/// Healthy with what was kept, and broken without any one of it. How many things were taken away.
fn assert_minimal(one: &Value, test: &str, more: &[&str], command: &[&str]) -> usize {
    let image = one["image"].as_str().unwrap();
    let rights = &one["proof"]["rights"];
    let whole = Container::start(image, rights, None, more, command);
    wait_until("it is healthy with what was kept", || whole.is_healthy(test));
    assert!(whole.runs());
    let kept = [texts(&rights["capabilities"]), texts(&rights["writable"])].concat();
    for item in &kept {
        let less = Container::start(image, rights, Some(item), more, command);
        assert!(less.breaks(test), "{image} is healthy without {item}: {rights}");
        assert!(one["proof"]["needed"][item]["how"].is_string(), "no evidence for {item}: {one}");
    }
    kept.len()
}

const NGINX_TEST: &str = "test -s /run/nginx.pid && kill -0 $(cat /run/nginx.pid)";

/// Writes where it lists its state, and says so with 200.
const PYTHON: &str = "import http.server, os, pathlib
pathlib.Path('/srv/state').mkdir(parents=True, exist_ok=True)
pathlib.Path('/srv/state/pid').write_text(str(os.getpid()))
http.server.ThreadingHTTPServer(('', 8000), http.server.SimpleHTTPRequestHandler).serve_forever()
";

/// The same in Node.js.
const NODE: &str = "require('fs').writeFileSync('/run/js.pid', '1'); require('http').createServer((q, r) => r.end('ok')).listen(3000)";

#[test]
fn three_services_keep_what_they_need_and_nothing_else() {
    let bench = Bench::new(
        &"  web:\n    image: nginx:1.26\n    expose: [\"80\"]\n    x-seaworthy: { probe: { ready: tcp }, route: { port: 80 } }\n  app:\n    image: python:3.13-slim\n    command: [python3, -u, /app/app.py]\n    stop_signal: SIGKILL\n    environment: { API_TOKEN: \"${SECRET}\" }\n    volumes: [\"./app:/app:ro\"]\n    x-seaworthy: { probe: { ready: GET / }, route: { port: 8000, path: /app } }\n  js:\n    image: node:20-slim\n    stop_signal: SIGKILL\n    command: [node, -e, \"{NODE}\"]\n    x-seaworthy: { probe: { ready: GET / }, route: { port: 3000, path: /js } }\n"
            .replace("{NODE}", NODE),
    );
    std::fs::create_dir_all(bench.project().join("app")).unwrap();
    bench.write("app/app.py", PYTHON);
    let proven = bench.proven_for_good();
    let of = |name: &str| proven.iter().find(|one| one["service"] == name).unwrap();
    assert!(assert_minimal(of("web"), NGINX_TEST, &[], &[]) >= 2, "{proven:?}");
    assert_eq!(of("app")["proof"]["rights"]["capabilities"], serde_json::json!([]));
    let mount = format!("--volume={}:/app:ro", bench.project().join("app").display());
    let test = "python3 -c \"import urllib.request as u; u.urlopen('http://127.0.0.1:8000/')\"";
    let kept = assert_minimal(of("app"), test, &[&mount], &["python3", "-u", "/app/app.py"]);
    assert_eq!(kept, 1, "the folder it writes to: {}", of("app"));
    let kept = assert_minimal(of("js"), "test -f /run/js.pid", &[], &["node", "-e", NODE]);
    assert_eq!(kept, 1, "the folder it writes to: {}", of("js"));
}

#[test]
fn whatever_cuts_a_proof_off_nothing_is_left_and_nothing_is_written() {
    let bench = Bench::new(
        "  web:\n    image: nginx:1.26\n    expose: [\"80\"]\n  data:\n    image: python:3.13-slim\n    privileged: true\n",
    );
    let begins = |bench: &Bench| -> Child {
        let mut command = bench.command(&["harden", "--prove", "web"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_until("a try runs", || !bench.left().is_empty());
        child
    };
    let mut interrupted = begins(&bench);
    let signalled = Command::new("kill").args(["-INT", &interrupted.id().to_string()]).status().unwrap();
    assert!(signalled.success());
    assert_eq!(interrupted.wait().unwrap().code(), Some(130));
    assert_eq!(bench.left(), [""; 0], "after Ctrl-C");
    let mut killed = begins(&bench);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!bench.left().is_empty(), "somebody killed cannot clean up");
    assert_eq!(bench.overlay(), "");
    let refused = bench.run(&["harden", "--prove", "--dry-run", "data"]);
    assert_eq!(refused.code, 1, "{}", refused.all());
    assert!(
        refused.stdout.contains("compose.yaml:") && refused.stdout.contains("privileged"),
        "{}",
        refused.all()
    );
    assert_eq!(bench.left(), [""; 0], "the next run clears away what the killed one left");
    assert_eq!(bench.overlay(), "", "nothing is written by a dry run");
    let unknown = bench.run(&["harden", "--prove", "web", "--exercise", "nothing=true"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("there is no service `nothing`"), "{}", unknown.stderr);
}

#[test]
fn what_an_exercise_does_counts_and_data_of_the_user_is_not_written_to() {
    let bench = Bench::new(
        "  worker:\n    image: debian:trixie-slim\n    command: [sleep, infinity]\n    stop_signal: SIGKILL\n    volumes: [\"./files:/files\"]\n    x-seaworthy: { prove: { command: \"sh -c 'touch /var/tmp/made && echo tried >> /files/log'\" } }\n  rigid:\n    image: debian:trixie-slim\n    command: [sh, -c, \"touch /etc/made && exec sleep infinity\"]\n    stop_signal: SIGKILL\n",
    );
    std::fs::create_dir_all(bench.project().join("files")).unwrap();
    bench.write("files/log", "mine\n");
    let proven = bench.proven();
    assert_eq!(proven[0]["proof"]["rights"]["writable"], serde_json::json!(["/var/tmp"]), "{proven:?}");
    assert_eq!(std::fs::read_to_string(bench.project().join("files/log")).unwrap(), "mine\n");
    assert!(bench.overlay().contains("# proven /var/tmp: without it, its exercise ended with exit code 1"));
    assert_eq!(bench.left(), [""; 0]);
    // Nothing can be laid over `/etc`, so this one cannot have a read-only root, and the check need not ask for it again.
    assert_eq!(proven[1]["proof"]["rights"]["writable"], Value::Null, "{proven:?}");
    let waiver = "  # seaworthy:ignore missing-hardening/read_only proven on debian:trixie-slim";
    assert!(bench.overlay().contains(waiver), "{}", bench.overlay());
    let told = bench.run(&["check"]);
    assert!(told.stdout.contains("(waived: `read_only`)"), "{}", told.all());
    bench.run(&["harden"]);
    assert_eq!(bench.overlay().matches("read_only: true").count(), 1, "{}", bench.overlay());
}

/// A service of its own for each kind, with a volume, its test and what it is told.
const STORES: [(&str, &str, &str, &str); 3] = [
    ("redis:8", "", "/data", "redis-cli ping"),
    ("postgres:17", "POSTGRES_PASSWORD=${SECRET}", "/var/lib/postgresql/data", "pg_isready -q -h 127.0.0.1"),
    (
        "rabbitmq:4",
        "RABBITMQ_NODENAME=rabbit@localhost",
        "/var/lib/rabbitmq",
        "rabbitmq-diagnostics --quiet ping",
    ),
];

#[test]
fn databases_and_queues_keep_what_they_need_and_nothing_else() {
    // The others take minutes.
    let stores = if std::env::var_os(ALL).is_some() { &STORES[..] } else { &STORES[..1] };
    let (mut services, mut volumes) = (String::new(), String::new());
    for (image, told, folder, _) in stores {
        let name = image.split(':').next().unwrap();
        services.push_str(&format!("  {name}:\n    image: {image}\n    volumes: [\"{name}:{folder}\"]\n"));
        services.push_str(&format!("    environment: [{}]\n", quoted(told)));
        volumes.push_str(&format!("  {name}: {{}}\n"));
    }
    let bench = Bench::new(&format!("{services}volumes:\n{volumes}"));
    let proven = if stores.len() > 1 { bench.proven_for_good() } else { bench.proven() };
    for (image, told, _, test) in stores {
        let one = proven.iter().find(|one| one["image"] == *image).unwrap();
        let told = told.replace("${SECRET}", "x");
        let more: Vec<String> = (!told.is_empty()).then(|| format!("--env={told}")).into_iter().collect();
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        assert!(assert_minimal(one, test, &more, &[]) >= 2, "{one}");
    }
}

/// A variable as an item of a list, or none.
fn quoted(variable: &str) -> String {
    if variable.is_empty() { String::new() } else { format!("\"{variable}\"") }
}
