//! Caddy as an issuer, in a folder of its own.

use std::path::PathBuf;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::gateway::rig::{free_address, until};

const HOW: &str = "SEAWORTHY_CADDY names no program: `cargo xtask test --suite issuer` fetches it";

/// An issuer; it ends with the test.
pub(crate) struct Caddy {
    folder: TempDir,
    port: u16,
    program: PathBuf,
    child: Option<Child>,
}

impl Caddy {
    /// One that does not run yet.
    pub(crate) fn prepare() -> Self {
        let program = PathBuf::from(std::env::var_os("SEAWORTHY_CADDY").expect(HOW));
        let (folder, port) = (TempDir::new().unwrap(), free_address().port());
        let store = folder.path().join("store");
        let text = format!(
            "{{\n admin off\n persist_config off\n skip_install_trust\n auto_https disable_redirects\n storage file_system {}\n}}\nhttps://127.0.0.1:{port} {{\n tls internal\n acme_server\n}}\n",
            store.display()
        );
        std::fs::write(folder.path().join("Caddyfile"), text).unwrap();
        Self { folder, port, program, child: None }
    }

    /// One that runs.
    pub(crate) async fn start() -> Self {
        Self::prepare().run().await
    }

    /// Has it run until it answers.
    pub(crate) async fn run(mut self) -> Self {
        let file = |name: &str| self.folder.path().join(name);
        let log = std::fs::OpenOptions::new().append(true).create(true).open(file("log")).unwrap();
        let child = Command::new(&self.program)
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(file("Caddyfile"))
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.child = Some(child);
        until(|| async {
            let there = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_ok();
            there && self.roots().is_file()
        })
        .await;
        self
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.unwrap();
        }
    }

    pub(crate) fn directory(&self) -> String {
        format!("https://127.0.0.1:{}/acme/local/directory", self.port)
    }

    /// What it signs with in the end.
    pub(crate) fn roots(&self) -> PathBuf {
        self.folder.path().join("store/pki/authorities/local/root.crt")
    }
}
