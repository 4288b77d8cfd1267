//! Several projects in one run: a broken one never stops the others.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use seaworthy_audit::report::{Checked, Report, Unchecked};
use seaworthy_project::{Problem, ProblemKind, Request, Sources, load};

use super::paths::{Target, targets};
use crate::audit::Auditor;
use crate::context::Context;
use crate::error::CommandError;
use crate::surroundings::Disk;

/// The most threads: more would wait for the disk.
const MAX_THREADS: usize = 8;

pub(super) fn many(context: &Context, auditor: &Auditor, paths: &[PathBuf]) -> Result<Report, CommandError> {
    if !context.globals.files.is_empty() || context.globals.project_directory.is_some() {
        return Err(CommandError::new(
            "paths and `-f` or `--project-directory` cannot be together",
            Some("leave one of them away"),
        ));
    }
    let (targets, empty) = targets(&context.surroundings.folder, paths);
    let mut request = context.request()?;
    // It names the files of one project, not of each.
    request.variables.shift_remove("COMPOSE_FILE");
    let mut report = Report::default();
    for outcome in side_by_side(&targets, |target| audit(auditor, &request, target)) {
        match outcome {
            Ok(checked) => report.add(*checked),
            Err(unchecked) => report.unchecked.push(*unchecked),
        }
    }
    for path in empty {
        let message = format!("There is no Compose file in `{}` or a folder below it.", path.display());
        let problem =
            Problem::nowhere(ProblemKind::NoFile, message).hint("check the path, or name the file itself");
        let name = path.display().to_string();
        report.unchecked.push(Unchecked {
            name,
            problems: vec![problem],
            sources: Sources::default(),
            partly: false,
        });
    }
    Ok(report)
}

type Outcome = Result<Box<Checked>, Box<Unchecked>>;

fn audit(auditor: &Auditor, request: &Request, target: &Target) -> Outcome {
    let request = Request {
        working_directory: target.folder.clone(),
        files: target.file.clone().into_iter().collect(),
        ..request.clone()
    };
    let loaded = load(&request, &Disk);
    match &loaded.project {
        Some(project) => Ok(Box::new(auditor.audit(project, &target.name, &request.files))),
        None => Err(Box::new(auditor.not_loaded(loaded, &target.name, &request))),
    }
}

/// Does the work for each, on as many threads as there are processors; the answers stand in the order asked.
fn side_by_side<T: Sync, A: Send>(all: &[T], work: impl Fn(&T) -> A + Sync) -> Vec<A> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS).min(all.len());
    let next = AtomicUsize::new(0);
    let answers: Mutex<Vec<Option<A>>> = Mutex::new(all.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(one) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    all.get(at).map(|one| (at, one))
                } {
                    let answer = work(one.1);
                    let mut answers = answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    answers[one.0] = Some(answer);
                }
            });
        }
    });
    answers.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_iter().flatten().collect()
}
