//! What comes back by itself on a Docker Engine: after its containers, the engine, or the machine went.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::site::{Ran, wait_until};
use super::{CANARY, Containers, Load};

/// An engine of the test's own, which it may kill. As on most machines, containers are held by a program beside it.
struct Daemon {
    folder: PathBuf,
    more: &'static [&'static str],
    holder: Option<Child>,
    running: Option<Child>,
}

impl Daemon {
    fn start(folder: &Path, more: &'static [&'static str]) -> Self {
        let mut daemon = Self { folder: folder.join("engine"), more, holder: None, running: None };
        std::fs::create_dir_all(&daemon.folder).unwrap();
        daemon.again();
        daemon
    }

    fn host(&self) -> String {
        format!("unix://{}", self.folder.join("docker.sock").display())
    }

    fn program(&self, name: &str, arguments: &[&str]) -> Child {
        let log = std::fs::File::options().append(true).create(true).open(self.folder.join(name)).unwrap();
        let mut command = Command::new(name);
        let command = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command.spawn().unwrap_or_else(|error| panic!("`{name}` is there where an engine is: {error}"))
    }

    /// Starts it, after it ended.
    fn again(&mut self) {
        let path = |name: &str| self.folder.join(name).display().to_string();
        let held = path("held.sock");
        if self.holder.is_none() {
            let places = ["--root", &path("held"), "--state", &path("holding"), "--address", &held];
            self.holder = Some(self.program("containerd", &places));
            wait_until("containers can be held", || std::os::unix::net::UnixStream::connect(&held).is_ok());
        }
        // One that was killed leaves it behind, and its number may be anybody's by now.
        let _ = std::fs::remove_file(path("pid"));
        let mut arguments =
            vec!["--data-root".to_owned(), path("data"), "--exec-root".to_owned(), path("exec")];
        arguments.extend(["--pidfile".to_owned(), path("pid"), "--host".to_owned(), self.host()]);
        arguments.extend(["--containerd".to_owned(), held]);
        // With `--bridge none` it would take the bridge of the machine's own daemon away.
        arguments.push("--default-address-pool=base=10.213.0.0/16,size=24".to_owned());
        arguments.extend(self.more.iter().map(|word| (*word).to_owned()));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.running = Some(self.program("dockerd", &arguments));
        wait_until("the engine answers", || {
            self.docker(&["version", "--format", "{{.Server.Version}}"]).iter().any(|line| !line.is_empty())
        });
    }

    fn docker(&self, arguments: &[&str]) -> Vec<String> {
        let output = Command::new("docker").args(["--host", &self.host()]).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    /// Ends it and waits.
    fn end(&mut self, signal: &str) {
        let Some(mut child) = self.running.take() else { return };
        signal_to(signal, &[child.id()]);
        child.wait().unwrap();
    }

    fn end_holder(&mut self, signal: &str) {
        let Some(mut child) = self.holder.take() else { return };
        signal_to(signal, &[child.id()]);
        child.wait().unwrap();
    }

    /// The main processes of its containers.
    fn processes(&self) -> Vec<u32> {
        let ids = self.docker(&["ps", "--quiet"]);
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let seen = self.docker(&[&["inspect", "--format", "{{.State.Pid}}"], &ids[..]].concat());
        seen.iter().filter_map(|process| process.parse().ok()).filter(|process| *process > 0).collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.running.is_some() {
            let custom = ["network", "ls", "--quiet", "--filter", "type=custom"];
            for (list, remove) in [(&["ps", "-aq"][..], ["rm", "-f"]), (&custom, ["network", "rm"])] {
                let found = self.docker(list);
                let found: Vec<&str> = found.iter().map(String::as_str).collect();
                self.docker(&[&remove[..], &found].concat());
            }
        }
        self.end("-TERM");
        self.end_holder("-TERM");
        // What was killed left its mounts, and with them the test's folder could not go.
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let folder = self.folder.display().to_string();
        let ours = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for mount in ours.filter(|place| place.starts_with(&folder)) {
            let _ = Command::new("umount").args(["--lazy", mount]).status();
        }
    }
}

fn signal_to(signal: &str, processes: &[u32]) {
    for process in processes {
        let _ = Command::new("kill").args([signal, &process.to_string()]).stderr(Stdio::null()).status();
    }
}

/// One engine at a time: each is as much work for the machine as all else that is tested.
static TURN: Mutex<()> = Mutex::new(());

/// A shop on an engine of its own.
struct Stage {
    daemon: Daemon,
    shop: Containers,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    fn deployed(more: &'static [&'static str]) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let shop = Containers::new();
        let daemon = Daemon::start(shop.site.project().parent().unwrap(), more);
        let stage = Self { daemon, shop, _turn: turn };
        stage.done(&["deploy", "-y"]);
        stage
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let host = self.daemon.host();
        self.shop.site.run_with(&[&["--engine", "docker"], arguments].concat(), &[("DOCKER_HOST", &host)])
    }

    fn done(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "`seaworthy {}` failed:\n{}", arguments.join(" "), ran.all());
        ran
    }

    fn is_whole(&self) -> bool {
        self.run(&["status"]).code == 0 && self.shop.site.get("/").is_ok()
    }

    /// The instances with the addresses that requests are sent to.
    fn addresses(&self) -> Vec<(String, String)> {
        let told: serde_json::Value =
            serde_json::from_str(&self.done(&["ps", "web", "--format", "json"]).stdout).unwrap();
        let of = |one: &serde_json::Value| (one["id"].to_string(), one["addresses"].to_string());
        told["instances"].as_array().unwrap().iter().map(of).collect()
    }

    fn healings(&self) -> usize {
        self.done(&["history", "--format", "json"]).stdout.matches("\"heal\"").count()
    }

    fn secret_is_there(&self) {
        let web = self.daemon.docker(&["ps", "--quiet", "--filter", "name=web"]);
        for id in &web {
            let format =
                "{{range .Mounts}}{{if eq .Destination \"/run/secrets/token\"}}{{.Source}}{{end}}{{end}}";
            let source = self.daemon.docker(&["inspect", "--format", format, id]);
            assert_eq!(std::fs::read_to_string(&source[0]).unwrap(), CANARY);
        }
        assert_eq!(web.len(), 3);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.daemon.running.is_some() {
            let _ = self.run(&["down", "-y", "--volumes"]);
        }
    }
}

#[test]
fn an_engine_that_stops_and_starts_gets_everything_back_at_the_same_addresses() {
    let mut stage = Stage::deployed(&[]);
    let before = stage.addresses();
    // Without live-restore its end is the end of all its containers.
    stage.daemon.end("-TERM");
    stage.daemon.again();
    wait_until("all is back", || stage.is_whole());
    assert_eq!(stage.addresses(), before);
    assert!(stage.healings() > 0);
    stage.daemon.end("-KILL");
    stage.daemon.again();
    wait_until("all is back after a kill", || stage.is_whole());
    assert_eq!(stage.addresses(), before);
    stage.secret_is_there();
}

#[test]
fn an_engine_that_keeps_its_containers_alive_costs_no_request_and_no_healing() {
    let mut stage = Stage::deployed(&["--live-restore"]);
    let before = stage.addresses();
    let load = Load::start(stage.shop.site.port);
    stage.daemon.end("-KILL");
    stage.daemon.again();
    stage.daemon.end("-TERM");
    stage.daemon.again();
    wait_until("it looks well", || stage.is_whole());
    let (sent, failures) = load.stop();
    let shown = &failures[..failures.len().min(5)];
    assert!(failures.is_empty(), "{} of {sent} requests failed: {shown:?}", failures.len());
    assert_eq!((stage.addresses(), stage.healings()), (before, 0));
}

#[test]
fn after_a_restart_of_the_machine_containers_and_secrets_are_back() {
    let mut stage = Stage::deployed(&[]);
    let before = stage.addresses();
    let containers = stage.daemon.processes();
    assert_eq!(containers.len(), 4);
    // Nothing gets a chance to tidy up: what watches first, then the engine, then what ran in it.
    let all = stage.shop.site.processes();
    let ours = |process: &&u32| {
        let program = std::fs::read_link(format!("/proc/{process}/exe")).unwrap_or_default();
        program.ends_with("seaworthy")
    };
    let (ours, engine): (Vec<&u32>, Vec<&u32>) = all.iter().partition(ours);
    signal_to("-9", &ours.into_iter().copied().collect::<Vec<_>>());
    signal_to("-9", &engine.into_iter().copied().collect::<Vec<_>>());
    signal_to("-9", &containers);
    stage.daemon.end("-KILL");
    stage.daemon.end_holder("-KILL");
    let memory = stage.shop.site.memory();
    assert!(memory.is_dir(), "{}", memory.display());
    std::fs::remove_dir_all(&memory).unwrap();
    assert!(stage.shop.site.get("/").is_err());

    stage.daemon.again();
    let mut unit = Command::new(env!("CARGO_BIN_EXE_seaworthy"))
        .args(["agent", "run", "--stay", "--state"])
        .arg(stage.shop.site.state())
        .env_clear()
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("it serves again", || stage.is_whole());
    assert_eq!(stage.addresses(), before);
    stage.secret_is_there();
    stage.done(&["down", "-y", "--volumes"]);
    signal_to("-TERM", &[unit.id()]);
    assert!(unit.wait().unwrap().success());
}

#[test]
fn want_of_memory_is_told_as_such() {
    let shop = Containers::new();
    let compose = shop.compose(1).replace("    secrets: [token]", "    secrets: [token]\n    mem_limit: 64m");
    shop.site.write("compose.yaml", &compose);
    shop.done(&["deploy", "-y"]);
    let eaten = shop.site.get("/eat");
    assert!(eaten.is_err(), "it has not that much: {eaten:?}");
    wait_until("it is back", || shop.run(&["status"]).code == 0 && shop.site.get("/").is_ok());
    wait_until("the history says why", || {
        shop.done(&["history"]).stdout.contains("web.1 was killed for want of memory")
    });
}
