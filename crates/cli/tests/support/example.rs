//! A copy of one of the examples, taken to production through the real program on a real Docker Engine.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::door::{Answer, Door, exchange};
use super::site::{Ran, files_below, free_port};

/// A copy of an example in a folder of its own, with a state and a name of its own.
pub struct Example {
    folder: tempfile::TempDir,
    name: &'static str,
    pub port: u16,
    /// Whether it is reached by TLS, with a certificate that the gateway made.
    pub secure: bool,
    /// Begins the version of every image that is built, so that no image of somebody else is touched.
    mark: String,
}

impl Example {
    pub fn new(name: &'static str) -> Self {
        let folder = tempfile::Builder::new().prefix("seaworthy-system-").tempdir().unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
        let port = free_port();
        let example = Self { folder, name, port, secure: false, mark: format!("test{port}") };
        for file in files_below(&from) {
            let below = file.strip_prefix(&from).unwrap();
            if below.starts_with("node_modules") {
                continue;
            }
            let to = example.project().join(below);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(&file, to).unwrap();
        }
        example
    }

    pub fn project(&self) -> PathBuf {
        self.folder.path().join(self.name)
    }

    /// The name of the version that is built as number `version`.
    pub fn version(&self, version: u32) -> String {
        format!("{}-{version}", self.mark)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.project().join(name), text).unwrap();
    }

    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.project().join(name)).unwrap()
    }

    /// Changes a text in a file that must have it.
    pub fn change(&self, name: &str, from: &str, to: &str) {
        let text = self.text(name);
        assert!(text.contains(from), "`{name}` has `{from}`");
        self.write(name, &text.replace(from, to));
    }

    /// Fills in the template of an environment as a person does: its port, what is `given`, and a secret of its own for
    /// whatever is empty. The version is left to the command. Gives back the secrets.
    pub fn fill(&self, environment: &str, port: u16, given: &[(&str, &str)]) -> Vec<String> {
        let template = self.project().join(format!(".env.{environment}.template"));
        let template = std::fs::read_to_string(template).unwrap();
        let (mut text, mut secrets) = (String::new(), Vec::new());
        for line in template.lines().filter(|line| !line.starts_with("VERSION=")) {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            let other = given.iter().find(|(given, _)| *given == name);
            text.push_str(&match other {
                _ if line.starts_with('#') || line.is_empty() => line.to_owned(),
                Some((_, value)) => format!("{name}={value}"),
                None if name.ends_with("_PORT") => format!("{name}={port}"),
                None if value.is_empty() => {
                    secrets.push(drawn());
                    format!("{name}={}", secrets[secrets.len() - 1])
                }
                None => line.to_owned(),
            });
            text.push('\n');
        }
        self.write(&format!(".env.{environment}"), &text);
        secrets
    }

    /// The name that `-p` gives the project.
    fn name(&self) -> String {
        format!("{}{}", self.name, self.port)
    }

    /// Runs the program with version `version` in its environment.
    pub fn run(&self, version: u32, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seaworthy"));
        command
            .args(["--engine", "docker", "-p", &self.name()])
            .args(arguments)
            .current_dir(self.project())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("SEAWORTHY_STATE", self.folder.path().join("state"))
            .env("VERSION", self.version(version))
            .stdin(Stdio::null());
        Ran::of(command.output().unwrap())
    }

    /// Runs a command that must end with `code`.
    pub fn ends(&self, code: i32, version: u32, arguments: &[&str]) -> Ran {
        let ran = self.run(version, arguments);
        assert_eq!(ran.code, code, "`seaworthy {}`:\n{}", arguments.join(" "), ran.all());
        ran
    }

    /// What the engine has of the project, as `docker` lists it.
    pub fn left(&self, kind: &[&str]) -> Vec<String> {
        self.left_in("production", kind)
    }

    /// The same of another environment.
    pub fn left_in(&self, environment: &str, kind: &[&str]) -> Vec<String> {
        let label = format!("label=com.docker.compose.project={}-{environment}", self.name());
        docker(&[kind, &["--quiet", "--filter", &label]].concat())
    }

    /// The containers of a service that run.
    pub fn containers(&self, service: &str) -> Vec<String> {
        let label = format!("label=com.docker.compose.service={service}");
        self.left(&["ps", "--filter", &label])
    }

    /// Every file of the project with its contents.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files_below(&self.project())
            .into_iter()
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect()
    }

    pub fn request(&self, method: &str, path: &str, token: &str, body: &str) -> Result<Answer, String> {
        exchange(self.door(self.port), method, path, token, body)
    }

    /// Where the example is reached, or another environment of it.
    pub fn door(&self, port: u16) -> Door {
        let certificate = self.folder.path().join("state/gateway/certificates/self-signed/localhost.pem");
        // What is developed has no certificate, nor has what was not deployed yet.
        if self.secure && certificate.exists() { Door::secure(port, &certificate) } else { port.into() }
    }

    /// What the gateway told of requests so far.
    pub fn access_log(&self) -> String {
        let file = self.folder.path().join("state/gateway/access.log");
        std::fs::read_to_string(file).unwrap_or_default()
    }

    /// `docker compose` in the folder, under a name of its own; where the project is published by `port`.
    pub fn compose(&self, program: &Path, arguments: &[&str], port_variable: &str) -> String {
        let output = Command::new(program)
            .args(["-p", &format!("{}-dev", self.name())])
            .args(arguments)
            .current_dir(self.project())
            .env(port_variable, self.port.to_string())
            // The builder of BuildKit is a program of its own, which not every machine has.
            .env("DOCKER_BUILDKIT", "0")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let ran = Ran::of(output);
        assert_eq!(ran.code, 0, "docker compose {}:\n{}", arguments.join(" "), ran.all());
        ran.stdout
    }

    /// Nothing is left of the project but what is asked for explicitly, and then nothing at all.
    pub fn comes_down(&self, volumes: usize) {
        self.ends(0, 1, &["down", "-y"]);
        assert_eq!(self.left(&["ps", "--all"]), [""; 0]);
        assert_eq!(self.left(&["network", "ls"]), [""; 0]);
        assert_eq!(self.left(&["volume", "ls"]).len(), volumes, "data is kept until it is asked for");
        self.ends(0, 1, &["down", "-y", "--volumes"]);
        assert_eq!(self.left(&["volume", "ls"]), [""; 0]);
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.run(1, &["down", "-y", "--volumes"]);
        if !self.left_in("staging", &["ps", "--all"]).is_empty() {
            let _ = self.run(1, &["-e", "staging", "down", "-y", "--volumes"]);
        }
        let kept = format!("seaworthy-kept:{}-", self.name());
        for tag in docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]) {
            let built = tag.starts_with(self.name) && tag.contains(&format!(":{}-", self.mark));
            if built || tag.starts_with(&kept) {
                // What lies below stays, as the cache of the next run.
                docker(&["rmi", "--no-prune", &tag]);
            }
        }
    }
}

/// 64 hexadecimal digits, as `openssl rand -hex 32` gives them.
fn drawn() -> String {
    let mut bytes = [0u8; 32];
    let source = std::fs::File::open("/dev/urandom");
    source.and_then(|mut file| file.read_exact(&mut bytes)).expect("the system gives random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn docker(arguments: &[&str]) -> Vec<String> {
    let output = Command::new("docker").args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}
