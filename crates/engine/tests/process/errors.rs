//! Bad input: a clear error, and nothing changed.
#![allow(clippy::disallowed_methods, reason = "tests look behind the engine's back")]

use std::os::unix::fs::PermissionsExt;

use seaworthy_engine::process::{Process, ProcessOptions, Program};
use seaworthy_engine::seal::SealKey;
use seaworthy_engine::{Engine, EngineError};
use seaworthy_project::fixture::load_yaml;

use crate::bed::{Bed, TESTBED, first};

async fn inspected(bed: &Bed, process: &str) -> Result<Option<seaworthy_engine::Artifact>, EngineError> {
    let mut project = load_yaml(&format!("services:\n  sample:\n    image: s:1\n{process}"));
    project.directory.clone_from(&bed.folder);
    let service = project.services().next().unwrap().clone();
    bed.engine.inspect(&project, &service).await.map(|inspection| inspection.artifact)
}

fn command(words: &str) -> String {
    format!("    x-seaworthy:\n      process: {{ {words} }}\n")
}

#[tokio::test]
async fn what_cannot_be_run_is_told_with_what_to_do() {
    let bed = Bed::new();
    let plain = bed.folder.join("plain");
    std::fs::write(&plain, "x").unwrap();
    std::fs::set_permissions(&plain, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::create_dir(bed.folder.join("folder")).unwrap();
    let cases = [
        (String::new(), "does not say how it runs"),
        (command("command: [./none]"), "was not found"),
        (command("command: [no-such-program-here]"), "was not found"),
        (command("command: [./plain]"), "is not executable"),
        (command("command: [./folder]"), "was not found"),
    ];
    for (process, expected) in cases {
        let error = inspected(&bed, &process).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.hint().is_some_and(|hint| !hint.is_empty()), "{error}");
    }
    assert_eq!(inspected(&bed, &command("command: [./none], build: [make]")).await.unwrap(), None);
    assert!(!bed.state.exists(), "nothing was made by looking");
}

#[tokio::test]
async fn a_build_that_fails_says_how() {
    let bed = Bed::new();
    for (build, expected) in
        [("[sh, -c, 'echo no luck; exit 3']", "no luck"), ("[no-such-builder]", "no-such-builder")]
    {
        let mut project = load_yaml(&format!(
            "services:\n  sample:\n    image: s:1\n{}",
            command(&format!("command: [./none], build: {build}"))
        ));
        project.directory.clone_from(&bed.folder);
        let service = project.services().next().unwrap().clone();
        let error = bed.engine.build(&project, &service, &mut |_| {}).await.unwrap_err();
        assert!(
            matches!(error, EngineError::Build { .. }) && error.to_string().contains(expected),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_state_folder_that_cannot_be_written_is_named() {
    let bed = Bed::new();
    let case = bed.case_of(&["serve", "200"], "");
    let file = bed.folder.join("a-file");
    std::fs::write(&file, "").unwrap();
    let engine = Process::new(ProcessOptions {
        state: file.join("process"),
        runtime: bed.runtime.clone(),
        program: Program { path: TESTBED.into(), arguments: vec!["shim".to_owned()] },
        key: SealKey::new([9; 32]),
        search_path: String::new(),
        home: None,
    });
    let error = engine.prepare(&case.revision).await.unwrap_err();
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
    assert!(std::error::Error::source(&error).is_some(), "the cause is told");
}

#[tokio::test]
async fn state_that_cannot_be_understood_is_refused_not_guessed_at() {
    let bed = Bed::new();
    let (case, instance) = bed.serving(&["serve", "200"], "").await;
    let folder =
        bed.state.join("instances").join(case.revision.project.as_str()).join(instance.id.to_string());
    for (name, contents) in [
        ("instance.json", "{\"version\":1"),
        ("instance.json", "{\"version\":99,\"new\":true}"),
        ("state.json", ""),
        ("state.json", "{\"version\":99}"),
    ] {
        let path = folder.join(name);
        let before = std::fs::read(&path).unwrap();
        std::fs::write(&path, contents).unwrap();
        let error = bed.engine.observe(&case.revision.project).await.unwrap_err();
        assert!(matches!(&error, EngineError::State { path, .. } if path.contains(name)), "{error}");
        if contents.contains("99") {
            assert!(error.to_string().contains("version 99"), "{error}");
        }
        std::fs::write(&path, before).unwrap();
    }
    bed.engine.observe(&case.revision.project).await.unwrap();
}

#[tokio::test]
async fn a_program_that_cannot_start_says_why() {
    let bed = Bed::new();
    let script = bed.folder.join("script");
    std::fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut case = bed.case_of(&["serve", "200"], "");
    let mut project =
        load_yaml(&format!("services:\n  sample:\n    image: s:1\n{}", command("command: [./script]")));
    project.directory.clone_from(&bed.folder);
    case.revision.service = project.services().next().unwrap().clone();
    case.revision.artifact =
        bed.engine.inspect(&project, &case.revision.service).await.unwrap().artifact.unwrap();
    bed.engine.prepare(&case.revision).await.unwrap();
    let error = bed.engine.ensure(&case.revision, first()).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("No such file"), "{error}: {cause}");
}

#[tokio::test]
async fn a_volume_cannot_lie_outside_of_the_state_folder() {
    let bed = Bed::new();
    for name in ["../../outside", "/tmp/outside-of-everything", "..", ""] {
        let mut case = bed.case_of(&["serve", "200"], "");
        case.revision.volumes[0].name = name.to_owned();
        let error = bed.engine.prepare(&case.revision).await.unwrap_err();
        assert!(error.to_string().contains("volume"), "{error}");
    }
    assert!(!bed.state.join("../../outside").exists());
}

#[tokio::test]
async fn an_address_that_another_program_took_is_told() {
    let bed = Bed::new();
    let (case, instance) = bed.serving(&["serve", "200"], "").await;
    crate::bed::kill(instance.process.unwrap().cast_signed(), nix::sys::signal::Signal::SIGKILL);
    bed.becomes(&case, &instance.id, |seen| seen.process.is_none()).await;
    let stranger = std::net::TcpListener::bind(instance.addresses[0].1).unwrap();
    let error = bed.engine.ensure(&case.revision, first()).await.unwrap_err();
    assert!(error.to_string().contains(&instance.addresses[0].1.to_string()), "{error}");
    drop(stranger);
    bed.engine.ensure(&case.revision, first()).await.unwrap();
}

#[tokio::test]
async fn what_a_plain_process_cannot_have_is_told_with_its_place() {
    let bed = Bed::new();
    let project = load_yaml(
        "services:\n  sample:\n    image: s:1\n    read_only: true\n    shm_size: 64m\n    ports: ['53:53/udp']\n    working_dir: /app\n",
    );
    let losses = bed.engine.losses(&project);
    let keys: Vec<&str> = losses.iter().map(|loss| loss.key.trim_start_matches("services.sample.")).collect();
    assert_eq!(keys, ["read_only", "ports", "shm_size", "working_dir"]);
    assert!(losses.iter().all(|loss| loss.span.is_some() && !loss.instead.is_empty()));
    assert_eq!(bed.engine.losses(&load_yaml("services:\n  sample:\n    image: s:1\n")), []);
}
