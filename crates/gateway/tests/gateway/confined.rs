//! What a worker gives up before it serves, as the system tells it, and that a crash of the supervisor costs nothing for it.

use std::fs;

use rustix::process::Signal;
use seaworthy_gateway::{Calls, Writes};

use crate::rig::{Rig, Server, free_address, get, set, until};

/// The bit of the right to bind ports below 1024.
const BIND: u64 = 1 << 10;

/// A line of what the system says of a process.
fn told(process: i32, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}:"))).unwrap();
    line.trim().to_owned()
}

fn rights(process: i32, name: &str) -> u64 {
    u64::from_str_radix(&told(process, name), 16).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_has_no_right_but_to_bind() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let status = rig.client.status().await.unwrap();
    let confinement = status.confinement.unwrap();
    let worker = status.process.cast_signed();
    for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
        assert_eq!(rights(worker, set) & !BIND, 0, "{set}");
    }
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        assert_eq!(rights(worker, "CapBnd") & !BIND, 0);
        assert_eq!(confinement.capabilities, ["CAP_NET_BIND_SERVICE"]);
    }
    assert_eq!(told(worker, "NoNewPrivs"), "1");
    assert!(confinement.no_new_privileges && confinement.because.is_none());
    assert_eq!(told(worker, "Seccomp"), "2", "{:?}", confinement.calls);
    assert!(matches!(confinement.calls, Calls::AllBut(calls) if calls > 30));
    // All threads: those that serve began after it.
    for task in fs::read_dir(format!("/proc/{worker}/task")).unwrap().flatten() {
        let text = fs::read_to_string(task.path().join("status")).unwrap();
        assert!(text.contains("NoNewPrivs:\t1") && text.contains("Seccomp:\t2"), "{text}");
    }
    if is_root {
        let supervisor = rig.processes("supervise")[0];
        assert_eq!(
            told(supervisor, "NoNewPrivs"),
            "0",
            "whom it starts, a companion, is as free as who deployed"
        );
    }
}

#[test]
fn it_writes_nowhere_but_in_its_folder_and_reads_nothing_of_others() {
    let (state, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let secret = outside.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        use std::os::unix::fs::{PermissionsExt, chown};
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        chown(&secret, Some(65_534), None).unwrap();
    }
    let fresh = outside.path().join("fresh");
    let own = state.path().join("gateway/own");
    let program = crate::rig::program().path;
    let tried = std::process::Command::new(program)
        .args(["try", "--state"])
        .arg(state.path())
        .args([&secret, &fresh, &own])
        .output()
        .unwrap();
    let told: serde_json::Value = serde_json::from_slice(&tried.stdout).unwrap();
    assert_eq!(told["wrote"][2], true, "{told}");
    if is_root {
        assert_eq!(told["read"][0], false, "it is root's no more than anybody's: {told}");
    }
    let writes: Writes = serde_json::from_value(told["confinement"]["writes"].clone()).unwrap();
    assert_eq!(told["took"], libc::EPERM, "nothing is taken from other processes: {told}");
    match writes {
        Writes::OwnFolder => {
            assert_eq!((&told["wrote"][0], &told["wrote"][1]), (&false.into(), &false.into()), "{told}");
            assert!(!fresh.exists());
            assert_eq!(fs::read_to_string(&secret).unwrap(), "secret");
        }
        Writes::Anywhere(why) => assert!(why.contains("Landlock"), "{why}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_that_the_worker_started_is_relieved_by_the_next_command() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let worker = rig.client.status().await.unwrap().process;
    let killed = rig.signal("supervise", Signal::KILL).await;
    until(|| async { rig.client.supervisor().await.is_ok_and(|now| now.process.cast_signed() != killed) })
        .await;
    assert!(rig.client.supervisor().await.unwrap().stands_in);
    let load = crate::rig::Load::start(listen, 2, 2);
    rig.launch().await;
    until(|| async { rig.client.supervisor().await.is_ok_and(|now| !now.stands_in) }).await;
    until(|| async { rig.processes("supervise").len() == 1 }).await;
    let supervisor = rig.processes("supervise")[0];
    if rustix::process::geteuid().is_root() {
        assert_eq!(told(supervisor, "NoNewPrivs"), "0");
    }
    assert_eq!(rig.client.status().await.unwrap().process, worker);
    let (answered, failures, _) = load.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered}");
    // It has the sockets and the lock.
    rig.signal("work", Signal::KILL).await;
    assert_eq!(get(listen, "GET", "/").await.body(), "web-1");
    assert_eq!(rig.processes("supervise"), [supervisor]);
}
