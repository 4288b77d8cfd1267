//! The program itself is replaced while it serves: nobody is refused or cut, and one that does not come up changes nothing.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};
use seaworthy_gateway::{GatewayError, Program};
use tempfile::TempDir;

use crate::http2::Crowd;
use crate::rig::{Load, Rig, Server, free_address, get, program, set, until};
use crate::upgrade::{OFFER, Socket};

/// Programs for a gateway to become.
struct Shelf(TempDir);

impl Shelf {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// The program under test under another name, as another file.
    fn copy(&self, name: &str) -> Program {
        let path = self.0.path().join(name);
        fs::copy(program().path, &path).unwrap();
        Program { path, ..program() }
    }

    /// A script; `REAL` in it is the program under test.
    fn script(&self, name: &str, text: &str) -> Program {
        let path = self.0.path().join(name);
        let real = program().path.display().to_string();
        fs::write(&path, text.replace("REAL", &real)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        Program { path, ..program() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn running(process: i32) -> PathBuf {
    fs::read_link(format!("/proc/{process}/exe")).unwrap_or_default()
}

/// Children of a process, each with the letter of its state.
fn children(of: i32) -> Vec<(i32, char)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(text) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((_, rest)) = text.rsplit_once(") ") else { continue };
        let mut words = rest.split(' ');
        let state = words.next().and_then(|word| word.chars().next()).unwrap();
        if words.next().and_then(|word| word.parse().ok()) == Some(of) {
            found.push((id, state));
        }
    }
    found
}

fn kill(process: i32) {
    let _ = kill_process(Pid::from_raw(process).unwrap(), Signal::KILL);
}

async fn only(rig: &Rig, part: &str) -> i32 {
    until(|| async { rig.processes(part).len() == 1 }).await;
    rig.processes(part)[0]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_under_load_fails_no_request() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    let shelf = Shelf::new();
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let supervisor = only(&rig, "supervise").await;
    let mut socket = Socket::open(listen, OFFER).await.unwrap();
    socket.line().await.unwrap();
    let (load, crowd) = (Load::start(listen, 3, 3), Crowd::start(listen, 3));
    let programs = [shelf.copy("next"), program(), shelf.copy("last")];
    let mut builds = Vec::new();
    for next in &programs {
        let (before, asked) = (rig.client.status().await.unwrap(), (load.answered(), crowd.answered()));
        until(|| async { load.answered() > asked.0 + 30 && crowd.answered() > asked.1 + 20 }).await;
        let told = rig.client.upgrade(next).await.unwrap();
        let status = rig.client.status().await.unwrap();
        // The same process, so that whoever watches over it sees no end of it; the worker is another.
        assert_eq!(told.process.cast_signed(), supervisor);
        assert_ne!(status.process, before.process);
        for process in [supervisor, status.process.cast_signed()] {
            assert_eq!(running(process), next.path);
        }
        assert_eq!(told.build, status.build);
        assert_ne!(before.build, status.build);
        builds.push(status.build);
        assert_eq!(socket.ask("still").await.unwrap(), "web-1 still");
        let asked = (load.answered(), crowd.answered());
        until(|| async { load.answered() > asked.0 + 30 && crowd.answered() > asked.1 + 20 }).await;
    }
    assert_ne!(builds[0], builds[2]);
    drop(socket);
    let (answered, failures, _) = load.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered} over HTTP/1.1");
    let (answered, failures) = crowd.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered} over HTTP/2");
    // Those that finished what they had are gone, and nobody has to wait for them.
    until(|| async { children(supervisor).iter().all(|(_, state)| *state != 'Z') }).await;
    only(&rig, "work").await;

    // It is a supervisor as any other: binds, and brings back a worker that dies.
    let other = free_address();
    rig.client.put("blog", &set(other, &[&server])).await.unwrap();
    let killed = rig.signal("work", Signal::KILL).await;
    for address in [listen, other] {
        assert_eq!(get(address, "GET", "/").await.body(), "web-1");
    }
    until(|| async { children(supervisor).iter().all(|(id, _)| *id != killed) }).await;
    assert_eq!(running(only(&rig, "work").await), programs[2].path);
    rig.signal("supervise", Signal::TERM).await;
    until(|| async { rig.processes("supervise").is_empty() && rig.processes("work").is_empty() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_does_not_come_up_changes_nothing() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    let shelf = Shelf::new();
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let (supervisor, worker) = (only(&rig, "supervise").await, only(&rig, "work").await);
    let load = Load::start(listen, 2, 2);
    let mut plain = shelf.script("plain", "no program");
    plain.path = shelf.file("no-program");
    fs::write(&plain.path, "text").unwrap();
    for (bad, said) in [
        (Program { path: shelf.file("missing"), ..program() }, "could not be started"),
        (plain, "could not be started"),
        (shelf.script("fails", "#!/bin/sh\nexit 3\n"), "ended"),
        (shelf.script("crashes", "#!/bin/sh\nkill -SEGV $$\n"), "ended"),
        (shelf.script("garbage", "#!/bin/sh\nprintf 'GET / HTTP/1.1' >&0\nexec sleep 600\n"), "says"),
        (
            shelf.script("longer", "#!/bin/sh\nprintf '\\000\\000\\000\\004null' >&0\nexec sleep 600\n"),
            "says",
        ),
        (shelf.script("hangs", "#!/bin/sh\nexec sleep 600\n"), "was not ready"),
        // It plays its part in the trial, and ends when it is to serve.
        (shelf.script("half", "#!/bin/sh\nREAL \"$@\" & sleep 0.3; kill -9 $!; exit 0\n"), "ended"),
    ] {
        let error = rig.client.upgrade(&bad).await.unwrap_err();
        let said = if said == "says" { "said what no gateway says" } else { said };
        let name = bad.path.display();
        assert!(matches!(error, GatewayError::NotUpgraded { .. }), "{name}: {error}");
        assert!(error.to_string().contains(said), "{name}: {error}");
        assert!(error.hint().contains("serves as before"));
        let status = rig.client.status().await.unwrap();
        assert_eq!(status.process.cast_signed(), worker);
        assert_eq!(rig.client.supervisor().await.unwrap().process.cast_signed(), supervisor);
        until(|| async { children(supervisor).iter().all(|(id, _)| *id == worker) }).await;
        // Changes are taken as before.
        rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    }
    let (answered, failures, _) = load.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_over_an_upgrade_the_gateway_serves() {
    let shelf = Shelf::new();
    let go = shelf.file("go");
    let waits = format!(
        "#!/bin/sh\nif [ \"$1\" = work ]; then touch {0}.waits; while [ ! -e {0} ]; do sleep 0.02; done; fi\nexec REAL \"$@\"\n",
        go.display()
    );
    let next = shelf.script("waits", &waits);
    for victim in ["supervise", "work", "trial"] {
        let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
        rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
        let (supervisor, worker) = (only(&rig, "supervise").await, only(&rig, "work").await);
        let load = Load::start(listen, 2, 2);
        let (client, program) = (rig.client.clone(), next.clone());
        let upgrade = tokio::spawn(async move { client.upgrade(&program).await });
        until(|| async { shelf.file("go.waits").exists() }).await;
        let trial = children(supervisor).into_iter().find(|(id, _)| *id != worker).unwrap().0;
        kill(match victim {
            "supervise" => supervisor,
            "work" => worker,
            _ => trial,
        });
        let error = upgrade.await.unwrap().unwrap_err();
        assert!(matches!(error, GatewayError::NotUpgraded { .. }), "{victim}: {error}");
        fs::write(&go, "").unwrap();
        until(|| async { rig.client.is_running().await }).await;
        let (supervisor, worker) = (only(&rig, "supervise").await, only(&rig, "work").await);
        let (_, failures, _) = load.stop().await;
        // A worker that is killed takes with it what it was just answering, and nothing else.
        let most = if victim == "work" { 4 } else { 0 };
        assert!(failures.len() <= most, "{victim}: {failures:?}");
        assert!(failures.iter().all(|failure| !failure.starts_with("connect")), "{victim}: {failures:?}");
        assert_eq!(running(worker), program_path());
        assert_eq!(running(supervisor), program_path());
        // The next try is one that nobody disturbs.
        rig.client.upgrade(&next).await.unwrap();
        assert_eq!(get(listen, "GET", "/").await.body(), "web-1");
        fs::remove_file(&go).unwrap();
        fs::remove_file(shelf.file("go.waits")).unwrap();
    }
}

fn program_path() -> PathBuf {
    fs::canonicalize(program().path).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_killed_at_any_moment_of_an_upgrade_leaves_a_gateway() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let load = Load::start(listen, 2, 2);
    for step in 0..12_u64 {
        let supervisor = only(&rig, "supervise").await;
        only(&rig, "work").await;
        let client = rig.client.clone();
        let upgrade = tokio::spawn(async move { client.upgrade(&program()).await });
        // From before the trial to after the end, whatever this machine's pace is.
        tokio::time::sleep(std::time::Duration::from_millis(step * step * 3)).await;
        kill(supervisor);
        let _ = upgrade.await.unwrap();
        until(|| async {
            let now = rig.processes("supervise");
            now.len() == 1 && now[0] != supervisor && rig.processes("work").len() == 1
        })
        .await;
        // Nobody is left that takes no changes.
        let blog = free_address();
        until(|| async { rig.client.put("blog", &set(blog, &[&server])).await.is_ok() }).await;
        assert_eq!(get(blog, "GET", "/").await.body(), "web-1", "step {step}");
    }
    let (answered, failures, _) = load.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_runs_is_told_by_its_very_file() {
    let rig = Rig::start().await;
    let (status, supervisor) = (rig.client.status().await.unwrap(), rig.client.supervisor().await.unwrap());
    let build = status.build.unwrap();
    assert_eq!(Some(&build), supervisor.build.as_ref());
    assert_eq!(build.version, env!("CARGO_PKG_VERSION"));
    use std::os::unix::fs::MetadataExt;
    let data = fs::metadata(Path::new(&program().path)).unwrap();
    assert_eq!(build.file, (data.dev(), data.ino()));
    // This is another program.
    assert_ne!(seaworthy_gateway::Build::own().unwrap(), build);
    assert_eq!(only(&rig, "supervise").await, supervisor.process.cast_signed());
}
