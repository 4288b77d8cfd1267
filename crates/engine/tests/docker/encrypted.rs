//! An engine that speaks TLS, and wants to know who calls: a daemon of this test's own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use seaworthy_engine::docker::{DockerEngine, DockerPlace, DockerVariables};
use seaworthy_engine::{Engine, EngineError};
use tempfile::TempDir;

use crate::bed::options;

/// How long the daemon may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A daemon that ends with this.
struct Daemon {
    program: Child,
    port: u16,
    folder: TempDir,
}

impl Daemon {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        authority(folder.path(), "ca");
        signed(folder.path(), "server", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
        signed(folder.path(), "client", "extendedKeyUsage=clientAuth\n");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let program = Command::new("dockerd")
            // With `--bridge=none` it would take the bridge of the machine's own daemon away.
            .args(["--tlsverify", "--iptables=false", "--storage-driver=vfs"])
            .args([format!("--tlscacert={}", path("ca.pem")), format!("--tlscert={}", path("server.pem"))])
            .args([format!("--tlskey={}", path("server-key.pem")), format!("--data-root={}", path("data"))])
            .args([format!("--exec-root={}", path("exec")), format!("--pidfile={}", path("pid"))])
            .args([format!("--host=tcp://127.0.0.1:{port}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the package of Docker Engine has `dockerd`");
        let daemon = Self { program, port, folder };
        let deadline = Instant::now() + PATIENCE;
        while !daemon.place(None, "127.0.0.1").answers() {
            let log = || std::fs::read_to_string(daemon.folder.path().join("log")).unwrap();
            assert!(Instant::now() < deadline, "the daemon does not start: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        daemon
    }

    /// What `DOCKER_HOST` and `DOCKER_CERT_PATH` would say.
    fn place(&self, certificates: Option<PathBuf>, host: &str) -> DockerPlace {
        let variables = DockerVariables {
            host: Some(format!("tcp://{host}:{}", self.port)),
            encrypted: certificates.is_some(),
            certificates,
            ..DockerVariables::default()
        };
        DockerPlace::find(&variables, None).unwrap()
    }

    /// An engine with these files, under the names that it looks for.
    fn engine(&self, files: &[(&str, &str)], host: &str) -> (DockerEngine, TempDir) {
        let own = tempfile::tempdir().unwrap();
        for (from, to) in files {
            std::fs::copy(self.folder.path().join(from), own.path().join(to)).unwrap();
        }
        let place = self.place(Some(own.path().to_owned()), host);
        (DockerEngine::new(options(own.path(), place)), own)
    }

    async fn refusal(&self, files: &[(&str, &str)], host: &str) -> String {
        let (engine, _folder) = self.engine(files, host);
        let error: EngineError = engine.version().await.unwrap_err();
        assert!(error.hint().is_some_and(|hint| hint.contains("`ca.pem`")), "{error}");
        error.to_string()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let process = nix::unistd::Pid::from_raw(i32::try_from(self.program.id()).unwrap());
        let _ = nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGTERM);
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.program.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn openssl(folder: &Path, words: &[&str]) {
    let ran = Command::new("openssl").args(words).current_dir(folder).output().expect("`openssl` is there");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// A key of that name, and a certificate signed by itself.
fn authority(folder: &Path, name: &str) {
    let (key, certificate) = (format!("{name}-key.pem"), format!("{name}.pem"));
    let kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=test"];
    let files = ["-days", "2", "-keyout", &key, "-out", &certificate];
    openssl(folder, &[&["req", "-x509"], &kind[..], &files[..]].concat());
}

/// A key of that name, and a certificate that the authority signed.
fn signed(folder: &Path, name: &str, extensions: &str) {
    let (key, request, certificate) =
        (format!("{name}-key.pem"), format!("{name}.csr"), format!("{name}.pem"));
    std::fs::write(folder.join("extensions"), extensions).unwrap();
    let kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=test"];
    openssl(folder, &[&["req"], &kind[..], &["-keyout", &key, "-out", &request]].concat());
    let by =
        ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-days", "2", "-extfile", "extensions"];
    openssl(folder, &[&["x509", "-req", "-in", &request, "-out", &certificate], &by[..]].concat());
}

#[tokio::test]
async fn an_engine_is_reached_over_tls_when_both_sides_know_each_other() {
    let daemon = Daemon::start();
    let all = [("ca.pem", "ca.pem"), ("client.pem", "cert.pem"), ("client-key.pem", "key.pem")];
    let project = seaworthy_project::ProjectName::new("none").unwrap();
    let (engine, _folder) = daemon.engine(&all, "127.0.0.1");
    assert!(engine.observe(&project).await.unwrap().instances.is_empty());
    assert!(engine.version().await.unwrap().starts_with("Docker "));

    // The engine's certificate names an address, and not this name of it.
    let error = daemon.refusal(&all, "localhost").await;
    assert!(error.contains("certificate"), "{error}");
    let error = daemon.refusal(&[("ca.pem", "ca.pem")], "127.0.0.1").await;
    assert!(error.contains("ertificate"), "it wants to know who calls: {error}");
    authority(daemon.folder.path(), "other");
    let error = daemon.refusal(&[("other.pem", "ca.pem"), all[1], all[2]], "127.0.0.1").await;
    assert!(error.contains("invalid peer certificate"), "{error}");
    let error = daemon.refusal(&all[1..], "127.0.0.1").await;
    assert!(error.contains("there is no `ca.pem`"), "{error}");
    let error = daemon.refusal(&all[..2], "127.0.0.1").await;
    assert!(error.contains("there is a `cert.pem` and no `key.pem`"), "{error}");
    let error = daemon.refusal(&[all[0], all[1], ("client.pem", "key.pem")], "127.0.0.1").await;
    assert!(error.contains("`key.pem` holds no private key"), "{error}");
}
