//! The way of a release on a real Docker Engine: built, deployed, rolled under load, broken and kept, rolled back,
//! killed and settled, taken down with nothing left over.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "code of tests"
)]

#[path = "docker/healing.rs"]
mod healing;
#[path = "support/load.rs"]
mod load;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/site.rs"]
mod site;

use std::path::Path;
use std::process::Command;

use load::Load;
use proxy::{Fault, Proxy};
use site::{CANARY, Site, files_below, wait_until};

/// A site whose services run in images that are built from nothing but the sample program.
struct Containers {
    site: Site,
    project: String,
}

impl Containers {
    fn new() -> Self {
        let site = Site::new();
        let name = format!("shop{}", site.port);
        let root = site.project().join("image/root");
        std::fs::create_dir_all(root.join("bin")).unwrap();
        // Tests side by side build at once: the classic builder would give one test another's layers at random.
        site.write("image/root/owner", &name);
        site.write("image/Dockerfile", "FROM scratch\nCOPY root/ /\nENTRYPOINT [\"/bin/sample\"]\n");
        let containers = Self { project: format!("{name}-production"), site };
        containers.install(1);
        libraries(&containers.site.project().join("bin/web"), &root);
        containers.site.write("compose.yaml", &containers.compose(3));
        containers
    }

    fn compose(&self, replicas: u32) -> String {
        format!(
            "name: shop{port}
services:
  web:
    build: ./image
    ports: [\"127.0.0.1:{port}:8080\"]
    environment: {{ GREETING: hello, PORT: \"8080\", LISTEN: 0.0.0.0 }}
    secrets: [token]
    deploy: {{ replicas: {replicas} }}
    stop_grace_period: 1s
    volumes: [\"data:/data\"]
    x-seaworthy:
      route: {{ path: / }}
      probe: {{ ready: GET /ready }}
  worker:
    build: ./image
    environment: {{ ROLE: worker }}
    stop_grace_period: 1s
  migrate:
    build: ./image
    environment: {{ EXIT_CODE: \"0\" }}
    x-seaworthy: {{ run: before-deploy }}
secrets:
  token: {{ environment: API_TOKEN }}
volumes:
  data:
x-seaworthy:
  rollout: {{ ready_deadline: 5s, min_healthy: 300ms, drain: 5s }}
",
            port = self.site.port
        )
    }

    /// Puts a version of the program among the sources of the image.
    fn install(&self, version: u32) {
        self.site.install(version);
        let project = self.site.project();
        let to = project.join("image/root/bin/sample");
        std::fs::copy(project.join("bin/web"), to).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> site::Ran {
        self.site.run(&[&["--engine", "docker"], arguments].concat())
    }

    /// Runs a command that reaches the daemon through `proxy`.
    fn run_through(&self, proxy: &Proxy, arguments: &[&str]) -> site::Ran {
        let host = format!("unix://{}", proxy.socket.display());
        self.site.run_with(&[&["--engine", "docker"], arguments].concat(), &[("DOCKER_HOST", &host)])
    }

    fn done(&self, arguments: &[&str]) -> site::Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "`seaworthy {}` failed:\n{}", arguments.join(" "), ran.all());
        ran
    }

    /// What the engine has of the project, as `docker` lists it.
    fn left(&self, kind: &[&str]) -> Vec<String> {
        let label = format!("label=com.docker.compose.project={}", self.project);
        docker(&[kind, &["--quiet", "--filter", &label]].concat())
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        let _ = self.run(&["down", "-y", "--volumes"]);
        for tag in docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]) {
            let ours = tag.starts_with(&format!("{}-", self.project))
                || tag.starts_with(&format!("seaworthy-kept:{}.", self.project));
            if ours {
                docker(&["rmi", &tag]);
            }
        }
    }
}

fn docker(arguments: &[&str]) -> Vec<String> {
    let output = Command::new("docker").args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// Puts the libraries that a program needs where it looks for them.
fn libraries(program: &Path, root: &Path) {
    let listed = Command::new("ldd").arg(program).output().unwrap();
    for line in String::from_utf8_lossy(&listed.stdout).lines() {
        let Some(path) = line.split_whitespace().find(|word| word.starts_with('/')) else { continue };
        let to = root.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(path, to).unwrap();
    }
}

#[test]
fn a_release_goes_its_way_with_no_failed_request_and_leaves_nothing() {
    let shop = Containers::new();
    let first = shop.done(&["deploy", "-y"]);
    assert_eq!(shop.site.get("/").unwrap(), "version 001 greeting hello", "{}", first.all());
    assert_eq!(shop.left(&["ps", "--all"]).len(), 5, "three of web, a worker, and the job that ended");
    let load = Load::start(shop.site.port);

    shop.install(2);
    shop.done(&["deploy", "-y"]);
    assert_eq!(shop.site.get("/").unwrap(), "version 002 greeting hello");

    shop.install(900);
    let broken = shop.run(&["deploy", "-y"]);
    assert_eq!(broken.code, 3, "{}", broken.all());
    assert!(
        broken.stderr.contains("503") && broken.stderr.contains("what was seen is kept in"),
        "{}",
        broken.stderr
    );
    assert_eq!(shop.site.get("/").unwrap(), "version 002 greeting hello");

    shop.done(&["scale", "web=5", "-y"]);
    shop.done(&["scale", "web=2", "-y"]);
    shop.done(&["restart", "web", "-y"]);
    // A rollback needs neither the sources nor the value of the secret: both are gone.
    std::fs::remove_dir_all(shop.site.project().join("image")).unwrap();
    std::fs::remove_file(shop.site.project().join(".env")).unwrap();
    shop.done(&["rollback", "1", "-y"]);
    assert_eq!(shop.site.get("/").unwrap(), "version 001 greeting hello");

    let (sent, failures) = load.stop();
    let shown = &failures[..failures.len().min(5)];
    assert!(failures.is_empty(), "{} of {sent} requests failed: {shown:?}", failures.len());
    assert!(sent > 1000, "only {sent} requests were sent");
    shop.done(&["down", "-y"]);
    assert_eq!(shop.left(&["ps", "--all"]), [""; 0]);
    assert_eq!(shop.left(&["network", "ls"]), [""; 0]);
    assert_eq!(shop.left(&["volume", "ls"]).len(), 1, "data is kept until it is asked for");
    shop.done(&["down", "-y", "--volumes"]);
    assert_eq!(shop.left(&["volume", "ls"]), [""; 0]);
    wait_until("no process is left", || shop.site.processes().is_empty());
}

#[test]
fn an_unchanged_project_is_not_touched_and_no_secret_is_seen() {
    let shop = Containers::new();
    let mut seen = shop.done(&["-v", "deploy", "-y"]).all();
    let before = shop.left(&["ps", "--all"]);
    let again = shop.done(&["deploy", "-y"]);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    assert_eq!(shop.left(&["ps", "--all"]), before);
    for command in
        [["status", "--format", "json"], ["ps", "--format", "json"], ["history", "--format", "json"]]
    {
        seen.push_str(&shop.done(&command).all());
    }
    let ids: Vec<&str> = before.iter().map(String::as_str).collect();
    seen.push_str(&docker(&[&["inspect"], ids.as_slice()].concat()).concat());
    assert!(!seen.contains(CANARY), "a secret was shown");
    for file in files_below(&shop.site.state()) {
        let contents = std::fs::read(&file).unwrap_or_default();
        let found = contents.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(!found, "a secret is in `{}`", file.display());
    }
}

#[test]
fn a_deploy_that_is_killed_is_settled_and_serves_all_the_while() {
    let shop = Containers::new();
    shop.done(&["deploy", "-y"]);
    let load = Load::start(shop.site.port);
    for (version, lines) in [(2, 3), (3, 9), (4, 16), (5, 21)] {
        shop.install(version);
        let lines = lines.to_string();
        let killed = shop.site.run_with(&["deploy", "-y"], &[("SEAWORTHY_TEST_KILL_AFTER_LINES", &lines)]);
        assert_eq!(killed.code, -1, "it was not killed after {lines} lines: {}", killed.all());
        shop.done(&["deploy", "-y"]);
        assert_eq!(shop.site.get("/").unwrap(), format!("version {version:03} greeting hello"));
        assert_eq!(shop.left(&["ps", "--all"]).len(), 5, "nothing of the killed deploy is left");
    }
    let (sent, failures) = load.stop();
    let shown = &failures[..failures.len().min(5)];
    assert!(failures.is_empty(), "{} of {sent} requests failed: {shown:?}", failures.len());
}

#[test]
fn looking_changes_nothing() {
    let shop = Containers::new();
    let proxy = Proxy::start(&shop.site.project(), "looking.sock", None);
    assert_eq!(shop.run_through(&proxy, &["plan"]).code, 0);
    shop.done(&["deploy", "-y"]);
    shop.site.write("compose.yaml", &shop.compose(2).replace("hello", "changed"));
    for command in [["plan"].as_slice(), &["status"], &["ps"], &["logs"], &["history"], &["doctor"]] {
        let ran = shop.run_through(&proxy, command);
        assert_eq!(ran.code, 0, "{}", ran.all());
    }
    assert!(proxy.calls() > 20, "it went through the proxy");
    assert_eq!(proxy.changing(), [""; 0]);
}

#[test]
fn a_call_that_fails_or_loses_its_answer_costs_no_request_and_leaves_nothing() {
    let shop = Containers::new();
    shop.done(&["deploy", "-y"]);
    let load = Load::start(shop.site.port);
    let mut version = 1;
    for (at, fault) in [
        (1, Fault::Refuse),
        (2, Fault::LoseAnswer),
        (4, Fault::Refuse),
        (5, Fault::LoseAnswer),
        (7, Fault::LoseAnswer),
        (9, Fault::Refuse),
        (14, Fault::LoseAnswer),
        (20, Fault::Refuse),
    ] {
        version += 1;
        shop.install(version);
        let proxy = Proxy::start(&shop.site.project(), &format!("{at}.sock"), Some((at, fault)));
        let spoilt = shop.run_through(&proxy, &["deploy", "-y"]);
        let place = format!("call {at} {fault:?}, {:?}: {}", proxy.changing().get(at - 1), spoilt.all());
        assert!([0, 2, 3].contains(&spoilt.code), "exit code {} at {place}", spoilt.code);
        let body =
            shop.site.get("/").unwrap_or_else(|error| panic!("nothing serves ({error}) after {place}"));
        let old_or_new = [version - 1, version].map(|version| format!("version {version:03} greeting hello"));
        assert!(old_or_new.contains(&body), "{body} after {place}");
        shop.done(&["deploy", "-y"]);
        assert_eq!(shop.site.get("/").unwrap(), old_or_new[1], "after {place}");
        assert_eq!(shop.left(&["ps", "--all"]).len(), 5, "something is left after {place}");
    }
    let (sent, failures) = load.stop();
    let shown = &failures[..failures.len().min(5)];
    assert!(failures.is_empty(), "{} of {sent} requests failed: {shown:?}", failures.len());
}
