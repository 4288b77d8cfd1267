//! What is kept: programs, ports, files, logs; and what must never be: secrets.
#![allow(clippy::disallowed_methods, reason = "tests look behind the engine's back")]

use std::os::unix::fs::PermissionsExt;

use seaworthy_engine::{Engine, InstanceState, LogCursor};

use crate::bed::{Bed, TESTBED, files, first, get, granted};

const CANARY: &str = "canary-6f1d2a";

#[tokio::test]
async fn a_rollback_runs_the_program_as_it_was() {
    let bed = Bed::new();
    let (old, instance) = bed.serving(&["serve", "200"], "").await;
    bed.engine.remove(&old.revision.project, &instance.id).await.unwrap();
    let path = bed.folder.join(&old.revision.artifact.name);
    std::fs::write(&path, "#!/bin/sh\nexit 9\n").unwrap();
    let now = bed.engine.inspect(&old.project, &old.revision.service).await.unwrap().artifact.unwrap();
    assert_ne!(now, old.revision.artifact);
    let again = bed.started(&old).await;
    bed.ready(&old, &again.id).await;
}

#[tokio::test]
async fn no_secret_is_in_the_state_folder_or_in_arguments() {
    let bed = Bed::new();
    let mut case = bed.case_of(
        &["serve", "200"],
        &format!("    environment:\n      API_TOKEN: {CANARY}\n      SECRET_FILE: /run/secrets/token\n"),
    );
    case.revision.files.push(granted("/run/secrets/token", CANARY));
    let instance = bed.started(&case).await;
    bed.ready(&case, &instance.id).await;
    assert_eq!(get(&instance, "/variable/API_TOKEN").await, CANARY, "the instance itself has it");
    assert_eq!(get(&instance, "/file/SECRET_FILE").await, CANARY);
    let holds = |path: &std::path::Path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
    };
    let kept = files(&bed.state);
    assert!(kept.len() > 3);
    assert_eq!(kept.iter().filter(|path| holds(path)).collect::<Vec<_>>(), [] as [&std::path::PathBuf; 0]);
    for pid in bed.processes() {
        assert!(!holds(format!("/proc/{pid}/cmdline").as_ref()), "an argument of {pid} shows it");
    }
    assert!(!holds(format!("/proc/{}/environ", bed.shim(&case, &instance.id)).as_ref()));
    let granted = files(&bed.runtime);
    assert_eq!(granted.len(), 1);
    assert_eq!(granted[0].metadata().unwrap().permissions().mode() & 0o777, 0o400);
    for path in kept.iter().filter(|path| !path.starts_with(bed.state.join("artifacts"))) {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
    }
    bed.engine.remove(&case.revision.project, &instance.id).await.unwrap();
    assert_eq!(files(&bed.runtime), [] as [std::path::PathBuf; 0], "it goes with the instance");
}

#[tokio::test]
async fn an_instance_is_told_its_port_and_who_it_is() {
    let bed = Bed::new();
    let extra = "    environment: { PORT: '8080', DATA: /data/notes.db, OTHER: /database }\n";
    let (case, instance) = bed.serving(&["serve", "200"], extra).await;
    assert_eq!(get(&instance, "/variable/PORT").await, instance.addresses[0].1.port().to_string());
    assert_eq!(get(&instance, "/variable/SEAWORTHY_INSTANCE").await, instance.id.to_string());
    assert_eq!(get(&instance, "/variable/SEAWORTHY_SERVICE").await, "sample");
    assert_eq!(get(&instance, "/variable/SEAWORTHY_RELEASE").await, "1");
    let volume = bed.state.join("volumes").join(&case.revision.volumes[0].name);
    assert_eq!(get(&instance, "/variable/DATA").await, volume.join("notes.db").to_str().unwrap());
    assert_eq!(get(&instance, "/variable/OTHER").await, "/database");
    assert_eq!(get(&instance, "/variable/HOSTNAME").await, "", "nothing of our own environment is passed on");
}

#[tokio::test]
async fn engines_side_by_side_give_different_ports() {
    let bed = Bed::new();
    let case = bed.case_of(&["serve", "200"], "");
    bed.engine.prepare(&case.revision).await.unwrap();
    let engines: Vec<_> = (0..8).map(|_| bed.again()).collect();
    let mut running = tokio::task::JoinSet::new();
    for (engine, slot) in engines.into_iter().zip(seaworthy_engine::Slot::first(8)) {
        let revision = case.revision.clone();
        running.spawn(async move { engine.ensure(&revision, slot).await.unwrap().addresses[0].1.port() });
    }
    let mut ports = running.join_all().await;
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 8);
    bed.engine.purge(&case.revision.project, true).await.unwrap();
    assert_eq!(bed.processes(), [0; 0]);
}

#[tokio::test]
async fn volumes_of_a_project_whose_name_begins_alike_stay() {
    let bed = Bed::new();
    let mut shop = bed.case_of(&["serve", "200"], "");
    let mut other = shop.clone();
    shop.revision.project = seaworthy_project::ProjectName::new("shop").unwrap();
    shop.revision.volumes[0].name = "shop_data".to_owned();
    other.revision.project = seaworthy_project::ProjectName::new("shop_data").unwrap();
    other.revision.volumes[0].name = "shop_data_data".to_owned();
    for case in [&shop, &other] {
        bed.engine.prepare(&case.revision).await.unwrap();
    }
    let precious = bed.state.join("volumes/shop_data_data/precious");
    std::fs::write(&precious, "x").unwrap();
    bed.engine.purge(&shop.revision.project, true).await.unwrap();
    assert!(precious.exists());
    assert_eq!(bed.engine.volumes(&other.revision.project).await.unwrap(), ["shop_data_data"]);
}

#[tokio::test]
async fn a_volume_with_a_name_of_its_own_is_listed_and_purged() {
    let bed = Bed::new();
    let mut case = bed.case_of(&["serve", "200"], "");
    case.revision.volumes[0].name = "customers".to_owned();
    bed.engine.prepare(&case.revision).await.unwrap();
    assert_eq!(bed.engine.volumes(&case.revision.project).await.unwrap(), ["customers"]);
    bed.engine.purge(&case.revision.project, false).await.unwrap();
    assert_eq!(bed.engine.volumes(&case.revision.project).await.unwrap(), ["customers"]);
    bed.engine.purge(&case.revision.project, true).await.unwrap();
    assert!(!bed.state.join("volumes/customers").exists());
}

#[tokio::test]
async fn nothing_is_left_of_a_purged_project() {
    let bed = Bed::new();
    let (case, _) = bed.serving(&["serve", "200"], "").await;
    bed.engine.purge(&case.revision.project, true).await.unwrap();
    bed.engine.prune(&case.revision.project, &[]).await.unwrap();
    let left: Vec<_> = files(&bed.state).into_iter().filter(|path| !path.ends_with("ports.lock")).collect();
    assert_eq!(left, [] as [std::path::PathBuf; 0]);
    assert_eq!(files(&bed.runtime), [] as [std::path::PathBuf; 0]);
}

#[tokio::test]
async fn a_log_is_read_over_the_end_of_a_file() {
    // Enough lines of the longest sort to fill more than one file, less than are kept.
    let bed = Bed::new();
    let script = bed.folder.join("talk");
    std::fs::write(&script, "#!/bin/sh\ni=0\nwhile [ $i -lt 1600 ]; do i=$((i+1)); printf '%s %8000s\\n' $i x; done\nexec sleep 600\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let yaml =
        "services:\n  sample:\n    image: s:1\n    x-seaworthy:\n      process: { command: ['./talk'] }\n";
    let mut project = seaworthy_project::fixture::load_yaml(yaml);
    project.directory.clone_from(&bed.folder);
    let mut case = bed.case_of(&["serve", "200"], "");
    case.revision.service = project.services().next().unwrap().clone();
    case.revision.artifact =
        bed.engine.inspect(&project, &case.revision.service).await.unwrap().artifact.unwrap();
    let id = bed.started(&case).await.id;
    let (mut cursor, mut numbers) = (LogCursor::Start, Vec::new());
    let deadline = std::time::Instant::now() + crate::bed::PATIENCE * 2;
    while numbers.len() < 1600 {
        let (lines, next) = bed.engine.logs(&case.revision.project, &id, cursor, 100).await.unwrap();
        numbers.extend(lines.iter().map(|line| line.text.split(' ').next().unwrap().parse::<u32>().unwrap()));
        cursor = next;
        assert!(std::time::Instant::now() < deadline, "only {} lines came", numbers.len());
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert_eq!(numbers, (1..=1600).collect::<Vec<_>>(), "each line once, in order");
    let (tail, _) = bed.engine.logs(&case.revision.project, &id, LogCursor::tail(1500), 1600).await.unwrap();
    assert_eq!(tail.len(), 1500, "the tail reaches into the older file");
    assert_eq!(bed.seen(&case, &id).await.state, InstanceState::Running);
}

#[tokio::test]
async fn a_program_found_by_name_runs_too() {
    let bed = Bed::new();
    let yaml = "services:\n  sample:\n    image: s:1\n    x-seaworthy:\n      process: { command: [sh, -c, 'exit 4'], build: [sh, -c, 'echo built; echo told >&2'] }\n";
    let mut project = seaworthy_project::fixture::load_yaml(yaml);
    project.directory.clone_from(&bed.folder);
    let service = project.services().next().unwrap().clone();
    let mut said = Vec::new();
    bed.engine.build(&project, &service, &mut |line| said.push(line.to_owned())).await.unwrap();
    said.sort();
    assert_eq!(said, ["built", "told"]);
    let mut case = bed.case_of(&["job", "0", "0"], "");
    let inspection = bed.engine.inspect(&project, &service).await.unwrap();
    assert!(inspection.builds);
    case.revision.service = service;
    case.revision.artifact = inspection.artifact.unwrap();
    bed.engine.prepare(&case.revision).await.unwrap();
    let exit = bed.engine.run_once(&case.revision, crate::bed::PATIENCE).await.unwrap();
    assert_eq!(exit.code, 4);
}

#[tokio::test]
async fn a_copy_that_is_just_written_can_be_started_by_many_at_once() {
    let bed = Bed::new();
    assert!(std::path::Path::new(TESTBED).exists());
    for _ in 0..4 {
        let (one, two) = (bed.case_of(&["serve", "200"], ""), bed.case_of(&["serve", "200"], ""));
        let start = async |case: &seaworthy_engine::contract::Case| {
            bed.engine.prepare(&case.revision).await.unwrap();
            bed.engine.ensure(&case.revision, first()).await.unwrap()
        };
        tokio::join!(start(&one), start(&two));
    }
    bed.engine.purge(&bed.case_of(&["serve", "200"], "").revision.project, true).await.unwrap();
}

#[tokio::test]
async fn a_program_of_the_machine_runs_where_it_is() {
    let bed = Bed::new();
    let yaml = "services:\n  sample:\n    image: s:1\n    x-seaworthy:\n      process: { command: [sleep, '600'] }\n";
    let mut project = seaworthy_project::fixture::load_yaml(yaml);
    project.directory.clone_from(&bed.folder);
    let mut case = bed.case_of(&["serve", "200"], "");
    case.revision.service = project.services().next().unwrap().clone();
    case.revision.artifact =
        bed.engine.inspect(&project, &case.revision.service).await.unwrap().artifact.unwrap();
    let instance = bed.started(&case).await;
    let runs = std::fs::read_link(format!("/proc/{}/exe", instance.process.unwrap())).unwrap();
    assert!(!runs.starts_with(&bed.state), "{}", runs.display());
}
