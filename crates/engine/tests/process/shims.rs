//! Shims: they outlive their starter, take their instance with them, and start it again.
#![allow(clippy::disallowed_methods, reason = "tests look behind the engine's back")]

use std::os::unix::process::CommandExt;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal::{SIGKILL, SIGTERM};
use seaworthy_engine::{Engine, InstanceState};

use crate::bed::{Bed, PATIENCE, first, kill, runs, until};

const ALWAYS: &str = "    restart: always\n";

#[tokio::test]
async fn a_killed_shim_takes_its_instance_along_and_ensure_repairs() {
    let bed = Bed::new();
    let (case, before) = bed.serving(&["serve", "200"], ALWAYS).await;
    let main = before.process.unwrap().cast_signed();
    kill(bed.shim(&case, &before.id), SIGKILL);
    bed.is_lost(&case, &before.id).await;
    until("the program is gone", || !runs(main)).await;
    assert_eq!(bed.seen(&case, &before.id).await.process, None);
    let after = bed.engine.ensure(&case.revision, first()).await.unwrap();
    assert_eq!((after.state, &after.addresses), (InstanceState::Running, &before.addresses));
    bed.ready(&case, &after.id).await;
    bed.engine.purge(&case.revision.project, true).await.unwrap();
    assert_eq!(bed.processes(), [0; 0], "nothing is left over");
}

#[tokio::test]
async fn what_a_killed_shim_left_behind_is_ended_by_ensure_and_by_remove() {
    let bed = Bed::new();
    for repair in [true, false] {
        let file = bed.folder.join("left-behind");
        let (case, instance) = bed.serving(&["orphan", file.to_str().unwrap()], "").await;
        until("it left a process behind", || file.exists()).await;
        let left: i32 = std::fs::read_to_string(&file).unwrap().parse().unwrap();
        kill(bed.shim(&case, &instance.id), SIGKILL);
        bed.is_lost(&case, &instance.id).await;
        assert!(runs(left), "the kernel ends only the program itself");
        if repair {
            std::fs::remove_file(&file).unwrap();
            bed.engine.ensure(&case.revision, first()).await.unwrap();
            assert!(!runs(left), "ensuring anew begins with nothing left of the old run");
        }
        bed.engine.remove(&case.revision.project, &instance.id).await.unwrap();
        assert!(!runs(left));
        assert_eq!(bed.processes(), [0; 0]);
    }
}

#[tokio::test]
async fn a_stopped_instance_leaves_no_daemon_of_its_own() {
    let bed = Bed::new();
    let file = bed.folder.join("left-behind");
    let (case, instance) = bed.serving(&["orphan", file.to_str().unwrap()], "").await;
    until("it left a process behind", || file.exists()).await;
    let left: i32 = std::fs::read_to_string(&file).unwrap().parse().unwrap();
    bed.engine.remove(&case.revision.project, &instance.id).await.unwrap();
    assert!(!runs(left), "a process in a session of its own goes too");
}

#[tokio::test]
async fn an_instance_outlives_its_starter() {
    let bed = Bed::new();
    let (case, instance) = bed.serving(&["serve", "200"], "").await;
    let shim = bed.shim(&case, &instance.id);
    let session = |pid: i32| nix::unistd::getsid(Some(nix::unistd::Pid::from_raw(pid))).unwrap().as_raw();
    assert_eq!(session(shim), shim, "it has a session of its own, so no terminal reaches it");
    // Another command sees it and may stop it.
    let other = bed.again();
    let seen = other.observe(&case.revision.project).await.unwrap();
    assert_eq!(seen.instances[0].process, instance.process);
    other.remove(&case.revision.project, &instance.id).await.unwrap();
    assert_eq!(bed.processes(), [0; 0]);
}

/// The starter is a process of its own here: this test program once more, which is killed after it started one.
#[tokio::test]
async fn an_instance_outlives_a_starter_that_is_killed() {
    const FOLDER: &str = "SEAWORTHY_TEST_STARTER";
    if let Ok(folder) = std::env::var(FOLDER) {
        let bed = Bed::new();
        let (case, instance) = bed.serving(&["serve", "200"], "").await;
        let told = format!("{} {}", bed.shim(&case, &instance.id), instance.process.unwrap());
        std::fs::write(format!("{folder}/.told"), told).unwrap();
        std::fs::rename(format!("{folder}/.told"), format!("{folder}/told")).unwrap();
        std::future::pending::<()>().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut starter = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "shims::an_instance_outlives_a_starter_that_is_killed"])
        .env(FOLDER, folder.path())
        .stdout(std::process::Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let told = folder.path().join("told");
    until("the starter started an instance", || told.exists()).await;
    let told = std::fs::read_to_string(told).unwrap();
    let pids: Vec<i32> = told.split(' ').map(|pid| pid.parse().unwrap()).collect();
    let group = nix::unistd::Pid::from_raw(starter.id().cast_signed());
    nix::sys::signal::killpg(group, SIGKILL).unwrap();
    starter.wait().unwrap();
    assert!(pids.iter().all(|pid| runs(*pid)), "both live on");
    kill(pids[0], SIGTERM);
    until("both are gone", || !pids.iter().any(|pid| runs(*pid))).await;
}

#[tokio::test]
async fn a_killed_program_is_back_on_its_port_within_a_second() {
    let bed = Bed::new();
    let (case, before) = bed.serving(&["serve", "200"], ALWAYS).await;
    let began = Instant::now();
    kill(before.process.unwrap().cast_signed(), SIGKILL);
    bed.becomes(&case, &before.id, |seen| seen.restarts == 1 && seen.state == InstanceState::Running).await;
    bed.ready(&case, &before.id).await;
    assert!(began.elapsed() < Duration::from_secs(1), "it took {:?}", began.elapsed());
    let after = bed.seen(&case, &before.id).await;
    assert_eq!((&after.addresses, after.exit.unwrap().signal), (&before.addresses, Some(9)));
    assert_ne!(after.process, before.process);
}

#[tokio::test]
async fn pauses_between_restarts_grow() {
    let bed = Bed::new();
    let case = bed.case_of(&["job", "0", "3"], "    restart: on-failure\n");
    let mut case = case;
    case.revision.kind = seaworthy_engine::InstanceKind::Replica;
    let began = Instant::now();
    let id = bed.started(&case).await.id;
    bed.becomes(&case, &id, |seen| seen.restarts >= 4 && seen.state == InstanceState::Waiting).await;
    assert!(began.elapsed() >= Duration::from_millis(300), "four restarts came within {:?}", began.elapsed());
    let waiting = bed.seen(&case, &id).await;
    assert_eq!(waiting.exit.unwrap().code, 3);
    let began = Instant::now();
    bed.engine.remove(&case.revision.project, &id).await.unwrap();
    assert!(began.elapsed() < PATIENCE / 4, "one that waits is stopped at once");
}

#[tokio::test]
async fn restarts_end_where_the_file_says() {
    let bed = Bed::new();
    let mut case = bed.case_of(&["job", "0", "3"], "    restart: 'on-failure:2'\n");
    case.revision.kind = seaworthy_engine::InstanceKind::Replica;
    let id = bed.started(&case).await.id;
    let seen = bed.becomes(&case, &id, |seen| seen.state == InstanceState::Exited).await;
    assert_eq!(seen.restarts, 2);
}

#[tokio::test]
async fn without_a_restart_policy_an_end_is_an_end() {
    let bed = Bed::new();
    let (case, instance) = bed.serving(&["serve", "200"], "").await;
    kill(instance.process.unwrap().cast_signed(), SIGKILL);
    let seen = bed.becomes(&case, &instance.id, |seen| seen.state == InstanceState::Exited).await;
    assert_eq!((seen.restarts, seen.exit.unwrap().code), (0, 137));
}

#[tokio::test]
async fn one_that_does_not_listen_is_killed_after_its_grace() {
    let bed = Bed::new();
    let (case, instance) = bed.serving(&["stubborn"], "    stop_grace_period: 300ms\n").await;
    let began = Instant::now();
    bed.engine.remove(&case.revision.project, &instance.id).await.unwrap();
    assert!(
        began.elapsed() >= Duration::from_millis(300) && began.elapsed() < PATIENCE / 4,
        "{:?}",
        began.elapsed()
    );
    assert_eq!(bed.processes(), [0; 0]);
}
