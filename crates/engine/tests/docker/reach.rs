//! Engines that are not reached by a socket of this machine.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use seaworthy_engine::docker::{DockerEngine, DockerPlace, DockerVariables};
use seaworthy_engine::{Engine, InstanceState, LogCursor, Probe, Slot};

use crate::bed::{Bed, options, place};
use crate::keys::service;

/// Puts a program called `ssh` into the folder.
fn stand_in(folder: &Path, script: &str) {
    let path = folder.join("ssh");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// An engine behind the `ssh` of that folder.
fn behind(folder: &Path, host: &str) -> DockerEngine {
    let variables = DockerVariables { host: Some(host.to_owned()), ..DockerVariables::default() };
    let mut options = options(folder, DockerPlace::find(&variables, None).unwrap());
    options.search_path = format!("{}:{}", folder.display(), options.search_path);
    DockerEngine::new(options)
}

#[tokio::test]
async fn an_engine_behind_ssh_runs_what_publishes_nothing() {
    let mut bed = Bed::new().await;
    let folder = bed.folder.path().to_owned();
    let told = folder.join("told");
    // The other end is this machine's own engine.
    let script =
        format!("echo \"$@\" >>'{}'\nexec docker --host {} system dial-stdio", told.display(), place());
    stand_in(&folder, &script);
    bed.engine = behind(&folder, "ssh://me@there.example:2222");
    let case = bed.case_of(&service("", "")).await;
    bed.engine.prepare(&case.revision).await.unwrap();
    let slot = Slot(std::num::NonZeroU32::MIN);
    let made = bed.engine.ensure(&case.revision, slot).await.unwrap();
    assert_eq!(made.state, InstanceState::Running);
    assert_eq!(made.process, None, "a process of another machine must not pass for one of this one");
    let ready = bed.engine.probe(&bed.project, &made.id, &Probe::Running).await.unwrap();
    assert!(ready.ready);
    bed.engine.logs(&bed.project, &made.id, LogCursor::tail(10), 10).await.unwrap();
    bed.engine.remove(&bed.project, &made.id).await.unwrap();
    assert!(bed.engine.observe(&bed.project).await.unwrap().instances.is_empty());
    let told = std::fs::read_to_string(told).unwrap();
    let wanted =
        "-o BatchMode=yes -o ConnectTimeout=30 -T -l me -p 2222 -- there.example docker system dial-stdio";
    assert!(told.lines().all(|line| line == wanted), "{told}");
    // Connections are used again: an engine asked a dozen times does not sign in a dozen times.
    assert!((1..=8).contains(&told.lines().count()), "{told}");

    let published = seaworthy_project::fixture::load_yaml(&service("    ports: ['18080:8080']\n", ""));
    let service = published.services().next().unwrap().clone();
    let error = bed.engine.inspect(&published, &service).await.unwrap_err();
    assert!(error.to_string().contains("on another machine than the gateway"), "{error}");
}

#[tokio::test]
async fn what_ssh_complains_about_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let project = seaworthy_project::ProjectName::new("none").unwrap();
    let error = behind(folder.path(), "ssh://me@there");
    stand_in(folder.path(), "echo 'me@there: Permission denied (publickey).' >&2\nexit 255");
    let error = error.observe(&project).await.unwrap_err();
    assert!(
        error.to_string().contains("`ssh://me@there`: me@there: Permission denied (publickey)."),
        "{error}"
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("`ssh me@there docker version`")), "{error:?}");
    stand_in(folder.path(), "exit 3");
    let error = behind(folder.path(), "ssh://there").observe(&project).await.unwrap_err();
    assert!(error.to_string().contains("ended without a word"), "{error}");
    let mut options = options(
        folder.path(),
        DockerPlace::find(
            &DockerVariables { host: Some("ssh://there".to_owned()), ..DockerVariables::default() },
            None,
        )
        .unwrap(),
    );
    options.search_path = folder.path().join("nothing").display().to_string();
    let error = DockerEngine::new(options).observe(&project).await.unwrap_err();
    assert!(error.to_string().contains("`ssh` could not be run"), "{error}");
}
