//! Limits, users and privileges of instances.
#![allow(clippy::disallowed_methods, reason = "tests look behind the engine's back")]

use std::time::Duration;

use seaworthy_engine::{Engine, InstanceState, Probe};
use seaworthy_project::model::healthcheck::HealthTest;

use crate::bed::{Bed, PATIENCE, first, get, kill, runs, until};

fn status(pid: u32, key: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn one_that_takes_too_much_memory_is_ended() {
    let bed = Bed::new();
    let case = bed.case_of(&["hog", "512"], "    deploy: { resources: { limits: { memory: 64m } } }\n");
    let id = bed.started(&case).await.id;
    let seen = bed.becomes(&case, &id, |seen| seen.state == InstanceState::Exited).await;
    assert!(!seen.exit.unwrap().success(), "{seen:?}");
    assert!(seen.limits.contains("cgroup") || seen.limits.contains("rlimit"), "{}", seen.limits);
    if seen.limits.contains("cgroup") {
        assert!(seen.exit.unwrap().out_of_memory, "{seen:?}");
    }
    bed.engine.remove(&case.revision.project, &id).await.unwrap();
}

#[tokio::test]
async fn a_program_is_under_its_limits_from_its_first_moment() {
    let bed = Bed::new();
    let extra = "    restart: always\n    deploy: { resources: { limits: { memory: 512m, cpus: '0.5', pids: 50 } } }\n";
    let (case, instance) = bed.serving(&["orphan", bed.folder.join("left").to_str().unwrap()], extra).await;
    assert!(instance.limits.contains("cgroup") || instance.limits.contains("rlimit"), "{}", instance.limits);
    if !instance.limits.contains("cgroup") {
        return;
    }
    until("it left a process behind", || bed.folder.join("left").exists()).await;
    let left = std::fs::read_to_string(bed.folder.join("left")).unwrap();
    let groups = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    assert!(groups(&instance.process.unwrap().to_string()).contains("seaworthy"));
    assert_eq!(
        groups(&left),
        groups(&instance.process.unwrap().to_string()),
        "its children are under them too"
    );
    let folders: Vec<std::path::PathBuf> = groups(&left)
        .lines()
        .filter_map(|line| {
            line.split_once(":/seaworthy/").map(|(head, name)| (head.to_owned(), name.to_owned()))
        })
        .flat_map(|(head, name)| {
            let controllers = head.split(':').nth(1).unwrap_or_default().to_owned();
            let parents = if controllers.is_empty() { vec![String::new()] } else { vec![controllers] };
            parents.into_iter().map(move |parent| {
                std::path::Path::new("/sys/fs/cgroup").join(parent).join("seaworthy").join(&name)
            })
        })
        .collect();
    assert!(!folders.is_empty() && folders.iter().all(|folder| folder.exists()), "{folders:?}");
    bed.engine.remove(&case.revision.project, &instance.id).await.unwrap();
    assert!(!folders.iter().any(|folder| folder.exists()), "its groups go with it: {folders:?}");
}

#[tokio::test]
async fn instances_with_one_name_have_limits_of_their_own() {
    let (one, two) = (Bed::new(), Bed::new());
    let limited =
        |memory: &str| format!("    deploy: {{ resources: {{ limits: {{ memory: {memory} }} }} }}\n");
    let (small, first) = one.serving(&["serve", "200"], &limited("64m")).await;
    let (large, second) = two.serving(&["serve", "200"], &limited("512m")).await;
    assert_eq!(first.id, second.id);
    one.engine.remove(&small.revision.project, &first.id).await.unwrap();
    if second.limits.contains("cgroup") {
        let groups = std::fs::read_to_string(format!("/proc/{}/cgroup", second.process.unwrap())).unwrap();
        assert!(groups.contains("seaworthy"), "{groups}");
    }
    assert!(runs(second.process.unwrap().cast_signed()));
    two.engine.purge(&large.revision.project, true).await.unwrap();
}

#[tokio::test]
async fn privileges_are_given_up_when_asked() {
    let bed = Bed::new();
    let (_, instance) =
        bed.serving(&["serve", "200"], "    security_opt: ['no-new-privileges:true']\n").await;
    assert_eq!(status(instance.process.unwrap(), "NoNewPrivs"), "1");
}

#[tokio::test]
async fn root_starts_an_instance_as_the_user_asked_for() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root can start processes as somebody else");
        return;
    }
    let bed = Bed::new();
    let mut case = bed.case_of(
        &["serve", "200"],
        "    user: '12345:12346'\n    environment: { DATA: /data/x, SECRET_FILE: /run/secrets/token }\n",
    );
    case.revision.files.push(crate::bed::granted("/run/secrets/token", "told"));
    let instance = bed.started(&case).await;
    bed.ready(&case, &instance.id).await;
    let pid = instance.process.unwrap();
    assert_eq!(status(pid, "Uid"), "12345 12345 12345 12345");
    assert_eq!(status(pid, "Gid"), "12346 12346 12346 12346");
    assert_eq!(status(pid, "Groups"), "12346".repeat(usize::from(!status(pid, "Groups").is_empty())));
    assert_eq!(get(&instance, "/file/SECRET_FILE").await, "told", "it can read what it was given");
    let test = |words: &[&str]| Probe::Test {
        test: HealthTest::Command(words.iter().map(ToString::to_string).collect()),
        timeout: Duration::from_secs(5),
    };
    let project = &case.revision.project;
    let outcome =
        bed.engine.probe(project, &instance.id, &test(&["sh", "-c", "id -u; touch $DATA"])).await.unwrap();
    assert!(outcome.ready && outcome.detail.contains("12345"), "{}", outcome.detail);
    // The shim is killed: a program of another user dies with it too.
    kill(bed.shim(&case, &instance.id), nix::sys::signal::Signal::SIGKILL);
    until("the program is gone", || !runs(pid.cast_signed())).await;
    let again = bed.engine.ensure(&case.revision, first()).await.unwrap();
    bed.ready(&case, &again.id).await;
}

#[tokio::test]
async fn a_test_tells_what_it_wrote_and_is_ended_in_time() {
    let bed = Bed::new();
    let (case, instance) = bed.serving(&["serve", "200"], "    environment: { COLOUR: green }\n").await;
    let project = &case.revision.project;
    let ask = async |text: &str, milliseconds: u64| {
        let test = HealthTest::Shell(text.to_owned());
        let probe = Probe::Test { test, timeout: Duration::from_millis(milliseconds) };
        bed.engine.probe(project, &instance.id, &probe).await.unwrap()
    };
    let good = ask("echo $COLOUR", 5000).await;
    assert!(good.ready && good.detail.contains("green"), "{}", good.detail);
    let bad = ask("echo broken >&2; exit 3", 5000).await;
    assert!(!bad.ready && bad.detail.contains("broken") && bad.detail.contains('3'), "{}", bad.detail);
    let long = ask("yes | head -c 1000000", 5000).await;
    assert!(long.ready && long.detail.len() <= 4096, "much output does not block it: {}", long.detail.len());
    let noisy = ask("yes | head -c 1000000 >&2", 5000).await;
    assert!(noisy.ready, "{}", noisy.detail);
    let began = std::time::Instant::now();
    let mark = format!("600{}", std::process::id());
    let slow = ask(&format!("sleep {mark} & sleep {mark}"), 200).await;
    assert!(!slow.ready && began.elapsed() < PATIENCE / 4, "{}", slow.detail);
    let sleeps = || {
        let names = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path().join("cmdline"));
        names
            .filter(|path| {
                std::fs::read(path).is_ok_and(|line| line == format!("sleep\0{mark}\0").as_bytes())
            })
            .count()
    };
    until("nothing of the test is left", || sleeps() == 0).await;
}
