//! A site whose services run in images that hold nothing but the sample program.

use std::path::Path;
use std::process::Command;

use crate::proxy::Proxy;
use crate::site::{Ran, Site, files_below};

/// A site whose services run in images that are built from nothing but the sample program.
pub struct Containers {
    pub site: Site,
    pub project: String,
}

impl Containers {
    pub fn new() -> Self {
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

    pub fn compose(&self, replicas: u32) -> String {
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

    /// The same site with an image that is built already. Its releases differ in what they answer, so that a deploy
    /// takes a moment.
    pub fn prebuilt() -> Self {
        let containers = Self::new();
        let folder = containers.site.project().join("image").display().to_string();
        let output = Command::new("docker")
            .args(["build", "--quiet", "--tag", &format!("{}-sample", containers.project), &folder])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        containers.release(1);
        containers
    }

    /// Makes this number what the site answers with.
    pub fn release(&self, number: u32) {
        let text = self.compose(2).replace("build: ./image", &format!("image: {}-sample", self.project));
        let text = text.replace("min_healthy: 300ms", "min_healthy: 100ms");
        // The sample has nothing to end in order, and would be waited for.
        let text = text.replace("stop_grace_period: 1s", "stop_signal: SIGKILL\n    stop_grace_period: 1s");
        self.site.write("compose.yaml", &text.replace("GREETING: hello", &format!("GREETING: r{number}")));
    }

    /// Which release of a prebuilt site answers.
    pub fn answers(&self) -> Result<u32, String> {
        let body = self.site.get("/")?;
        body.rsplit_once(" r").and_then(|(_, number)| number.parse().ok()).ok_or(body)
    }

    /// Fails unless a prebuilt site has exactly what it should have, and nothing is under way.
    #[track_caller]
    pub fn assert_whole(&self, place: &str) {
        let listed = self.left(&["ps", "--all"]).len();
        assert_eq!(listed, 4, "two of web, a worker, and the job that ended, after {place}");
        assert_eq!(self.left(&["network", "ls"]).len(), 1, "its own network, after {place}");
        assert_eq!(self.left(&["volume", "ls"]).len(), 1, "its volume, after {place}");
        self.assert_settled(place);
    }

    /// Fails unless nothing is left of a prebuilt site that is down.
    #[track_caller]
    pub fn assert_gone(&self, place: &str) {
        for kind in [["ps", "--all"].as_slice(), &["network", "ls"], &["volume", "ls"]] {
            assert_eq!(self.left(kind), [""; 0], "{kind:?} after {place}");
        }
        let locks = files_below(&self.site.state().join("docker/locks"));
        assert!(locks.is_empty(), "{locks:?} after {place}");
        assert!(self.site.get("/").is_err(), "something serves after {place}");
    }

    /// Fails when a lock is left, or something is under way.
    #[track_caller]
    pub fn assert_settled(&self, place: &str) {
        let locks = files_below(&self.site.state().join("docker/locks"));
        assert!(locks.is_empty(), "{locks:?} after {place}");
        let status: serde_json::Value =
            serde_json::from_str(&self.done(&["status", "--format", "json"]).stdout).unwrap();
        assert!(status["under_way"].is_null() && status["unfinished"].is_null(), "{status} after {place}");
    }

    /// How the last change ended, as the history tells it.
    pub fn last_change(&self) -> String {
        let told = self.run(&["history", "--format", "json"]).stdout;
        let told: serde_json::Value = serde_json::from_str(&told).unwrap_or_default();
        told["changes"][0]["state"].as_str().unwrap_or_default().to_owned()
    }

    /// Puts a version of the program among the sources of the image.
    pub fn install(&self, version: u32) {
        self.site.install(version);
        let project = self.site.project();
        let to = project.join("image/root/bin/sample");
        std::fs::copy(project.join("bin/web"), to).unwrap();
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &[])
    }

    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let host = std::env::var("DOCKER_HOST").unwrap_or_default();
        let variables = [&[("DOCKER_HOST", host.as_str())], variables].concat();
        self.site.run_with(&[&["--engine", "docker"], arguments].concat(), &variables)
    }

    /// Runs a command that reaches the daemon through `proxy`.
    pub fn run_through(&self, proxy: &Proxy, arguments: &[&str]) -> Ran {
        let host = format!("unix://{}", proxy.socket.display());
        let answer = proxy.patience().as_secs().to_string();
        self.run_with(arguments, &[("DOCKER_HOST", &host), ("DOCKER_CLIENT_TIMEOUT", &answer)])
    }

    pub fn done(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "`seaworthy {}` failed:\n{}", arguments.join(" "), ran.all());
        ran
    }

    /// What the engine has of the project, as `docker` lists it.
    pub fn left(&self, kind: &[&str]) -> Vec<String> {
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

pub fn docker(arguments: &[&str]) -> Vec<String> {
    let output = Command::new("docker").args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// Puts the libraries that a program needs where it looks for them.
pub fn libraries(program: &Path, root: &Path) {
    let listed = Command::new("ldd").arg(program).output().unwrap();
    for line in String::from_utf8_lossy(&listed.stdout).lines() {
        let Some(path) = line.split_whitespace().find(|word| word.starts_with('/')) else { continue };
        let to = root.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(path, to).unwrap();
    }
}
