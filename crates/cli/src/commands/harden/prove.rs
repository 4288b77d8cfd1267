//! `harden --prove`: tries each service with as few rights as it stays healthy with, and writes those down.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use seaworthy_audit::{check, overlay};
use seaworthy_project::{Project, ProjectName, ServiceName, load};
use seaworthy_release::{
    Clock, Interrupt, Lock, Owner, PROOF_SUFFIX, ProveError, Proven, Prover, ReleaseError, StateFolder,
    SystemClock,
};

use super::proof_keys;
use super::proof_report;
use super::{HardenArgs, Overlaid, overlay_path, read};
use crate::arguments::EngineChoice;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::surroundings::{Disk, write_file};
use crate::ui::Steps;

pub(super) async fn prove(context: &Context, arguments: &HardenArgs) -> Result<Exit, CommandError> {
    if matches!(context.globals.engine, EngineChoice::Process | EngineChoice::Kubernetes) {
        return Err(CommandError::new(
            "hardening is proven on Docker",
            Some("leave `--engine` away, or say `--engine docker`"),
        ));
    }
    let project = context.project()?;
    let only = selected(&project, &arguments.services)?;
    let exercises = exercises(&project, &arguments.exercise)?;
    let path = overlay_path(&context.globals.files, &context.surroundings.folder, &project)?;
    let shown = path.strip_prefix(&project.directory).unwrap_or(&path).display().to_string();
    let old = read(&path)?;
    let bare = without_earlier(context, &project, &only, &path, old.as_deref())?;
    let state = StateFolder::open(context.surroundings.state_folder())?;
    let engine = context.docker(&state)?;
    engine.version().await.map_err(ReleaseError::from)?;
    let name = format!("{}{PROOF_SUFFIX}", project.name);
    let name = ProjectName::new(name).map_err(|error| CommandError::new(error.to_string(), None))?;
    let folder = state.root().join("proofs").join(name.as_str());
    let owner = Owner {
        command: "harden --prove".to_owned(),
        process: std::process::id(),
        user: context.surroundings.user(),
        since: SystemClock.now(),
    };
    let _lock = Lock::take(&folder, &owner)?;
    let key = state.key()?;
    let steps = Steps::new(&context.ui);
    let interrupt = Arc::new(Interrupt::default());
    crate::interrupts::listen_for_interrupts(interrupt.clone());
    let prover = Prover {
        project: &bare,
        engine: &engine,
        name,
        key: &key,
        files: &Disk,
        folder: folder.join("tries"),
        interrupt: &interrupt,
        progress: &steps,
        exercises,
        only,
    };
    let proven = prover.prove().await.map_err(|error| told(error, &project))?;
    let (new, mut refused) = written(&bare, old.as_deref(), &proven);
    let new = waived(context, &path, new, &proven, &mut refused)?;
    let changed = new.as_deref() != old.as_deref();
    if let Some(new) = new.as_deref().filter(|_| changed) {
        loaded(context, &path, new)?;
        if !arguments.dry_run {
            write_file(&path, new).map_err(|error| {
                CommandError::new(format!("could not write `{shown}`: {error}"), Some("nothing was changed"))
            })?;
        }
    }
    let report = proof_report::Report {
        project: &bare,
        overlay: &shown,
        proven: &proven,
        refused: &refused,
        diff: overlay::diff(old.as_deref().unwrap_or_default(), new.as_deref().unwrap_or_default(), &shown),
        dry_run: arguments.dry_run,
    };
    report.tell(&context.ui, arguments.format);
    let all = proven.iter().all(|one| one.proof.is_some()) && refused.is_empty();
    Ok(if all { Exit::Done } else { Exit::Findings })
}

/// The services that are named; all when none is.
fn selected(project: &Project, names: &[String]) -> Result<Vec<ServiceName>, CommandError> {
    names.iter().map(|name| known(project, name)).collect()
}

fn known(project: &Project, name: &str) -> Result<ServiceName, CommandError> {
    let found = project.services.keys().find(|known| known.as_str() == name);
    found.cloned().ok_or_else(|| {
        let known: Vec<&str> = project.services.keys().map(ServiceName::as_str).collect();
        let hint = format!("services: {}", known.join(", "));
        CommandError::new(format!("there is no service `{name}`"), Some(&hint))
    })
}

/// Reads `SERVICE=COMMAND`; the command is run by the shell inside.
fn exercises(project: &Project, said: &[String]) -> Result<BTreeMap<ServiceName, Vec<String>>, CommandError> {
    let exercise = |text: &String| {
        let parts = text.split_once('=').filter(|(_, command)| !command.trim().is_empty());
        let (service, command) = parts.ok_or_else(|| {
            let hint = "write `--exercise SERVICE=COMMAND`, such as `--exercise 'cache=redis-cli set a 1'`";
            CommandError::new(format!("`{text}` names no service and command"), Some(hint))
        })?;
        let words = ["/bin/sh", "-c", command].map(str::to_owned).to_vec();
        Ok((known(project, service)?, words))
    };
    said.iter().map(exercise).collect()
}

/// The project without what an earlier proof, or nobody in particular, wrote into the overlay: it is found out anew.
fn without_earlier(
    context: &Context,
    project: &Project,
    only: &[ServiceName],
    path: &Path,
    old: Option<&str>,
) -> Result<Project, CommandError> {
    let Some(old) = old else { return Ok(project.clone()) };
    let names: Vec<&str> = project
        .services
        .keys()
        .filter(|name| only.is_empty() || only.contains(name))
        .map(ServiceName::as_str)
        .collect();
    let stripped = overlay::without_proven(old, &names).map_err(|error| {
        CommandError::new(error.to_string(), Some("nothing was tried and nothing was changed"))
    })?;
    loaded(context, path, &stripped)
}

/// The overlay with all proofs, and the services whose proof could not be written into it, with the reason.
fn written(
    project: &Project,
    old: Option<&str>,
    proven: &[Proven],
) -> (Option<String>, Vec<(ServiceName, String)>) {
    let mut text = old.unwrap_or(overlay::HEADER).to_owned();
    let mut refused = Vec::new();
    let mut any = false;
    for one in proven {
        let (Some(proof), Some(service)) = (&one.proof, project.services.get(&one.service)) else { continue };
        let keys = proof_keys::of(service, one, proof);
        match overlay::write_proven(&text, one.service.as_str(), &keys) {
            Ok(new) => {
                any |= new != text;
                text = new;
            }
            Err(error) => refused.push((one.service.clone(), error.to_string())),
        }
    }
    (if any { Some(text) } else { old.map(str::to_owned) }, refused)
}

/// The overlay with a waiver for each setting that a service did not stay healthy with, where the check would go on asking
/// for it. A waiver of an earlier proof that is needed no more goes.
fn waived(
    context: &Context,
    path: &Path,
    text: Option<String>,
    proven: &[Proven],
    refused: &mut Vec<(ServiceName, String)>,
) -> Result<Option<String>, CommandError> {
    let before = text.as_deref().unwrap_or(overlay::HEADER);
    let findings = check(&loaded(context, path, before)?);
    let mut new = before.to_owned();
    for one in proven {
        let Some(proof) = &one.proof else { continue };
        let ours = findings.iter().filter(|finding| {
            finding.rule.id == "missing-hardening" && finding.place.service.as_ref() == Some(&one.service)
        });
        let asked: BTreeSet<&str> = ours.flat_map(|finding| finding.points.iter().copied()).collect();
        match overlay::write_waivers(&new, one.service.as_str(), &proof_keys::waivers(one, proof, &asked)) {
            Ok(text) => new = text,
            Err(error) => refused.push((one.service.clone(), error.to_string())),
        }
    }
    Ok(if new == before { text } else { Some(new) })
}

/// The project with that text as its overlay: nothing is written that would not load.
fn loaded(context: &Context, path: &Path, text: &str) -> Result<Project, CommandError> {
    let loaded = load(&context.request()?, &Overlaid { path, text });
    loaded.project.ok_or_else(|| CommandError::problems(loaded.problems, loaded.sources))
}

fn told(error: ProveError, project: &Project) -> CommandError {
    match error {
        ProveError::Engine(error) => {
            CommandError::from(ReleaseError::from(error)).with_sources(&project.sources)
        }
        ProveError::Interrupted => {
            CommandError { exit: Exit::Interrupted, ..CommandError::new(error.to_string(), None) }
        }
        ProveError::Isolate { ref problems } => {
            let first = problems.first().map_or_else(String::new, |problem| format!(": {}", problem.message));
            CommandError::new(
                format!("{error}{first}"),
                Some("`seaworthy config` shows the project as it is resolved"),
            )
        }
        ProveError::Leftover { ref cause, .. } => CommandError::new(
            format!("{error}: {cause}"),
            Some("remove it by hand, then run the command again"),
        ),
        ProveError::NoImage { .. } => {
            CommandError::new(error.to_string(), Some("build or pull it, then run the command again"))
        }
    }
}
