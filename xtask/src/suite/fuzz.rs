//! The suite `fuzz`: all known inputs through the loader and the gateway again, then new ones for a while, guided by coverage.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::table::Outcome;
use crate::run::{self, RunError};
use crate::workspace::Workspace;

/// The targets, each with the words that it is fed.
const TARGETS: [(&str, &str); 7] = [
    ("parse", "compose"),
    ("interpolate", "compose"),
    ("dotenv", "compose"),
    ("merge", "compose"),
    ("requests", "gateway"),
    ("proxy_header", "gateway"),
    ("snapshot", "gateway"),
];
/// How long each target runs: long enough to notice what a change broke at once, no search for what is rare.
const SECONDS_EACH: u32 = 15;

const REPLAY: [&str; 10] = [
    "cargo",
    "test",
    "--package",
    "seaworthy-project",
    "--package",
    "seaworthy-gateway",
    "--all-features",
    "--locked",
    "--test",
    "replay",
];

/// What is found is left in `fuzz/artifacts`; a copy in `fuzz/findings` is replayed ever after.
pub(super) fn fuzz(
    workspace: &Workspace,
    limit: Duration,
    output: &mut dyn Write,
) -> Result<Outcome, Box<dyn Error>> {
    if let Some(failed) = step(workspace.root(), &REPLAY, limit, output)? {
        return Ok(failed);
    }
    let here = run::run(workspace.root(), &["cargo", "fuzz", "--version"], limit);
    if !here.is_ok_and(|ran| ran.status.success()) {
        return Ok(Outcome::Skipped(
            "cargo-fuzz is not installed; seeds and findings were replayed and hold".to_owned(),
        ));
    }
    let seconds = format!("-max_total_time={SECONDS_EACH}");
    for (target, words) in TARGETS {
        let words = format!("-dict=fuzz/{words}.dict");
        let (corpus, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
        if let Some(failed) = step(workspace.root(), &["mkdir", "-p", &corpus], limit, output)? {
            return Ok(failed);
        }
        // Without a sanitizer, which needs an unstable compiler: what is looked for are panics, hangs and overflows.
        let program = [
            "cargo",
            "fuzz",
            "run",
            "--sanitizer",
            "none",
            target,
            &corpus,
            &seeds,
            "--",
            &seconds,
            "-timeout=10",
            "-max_len=4096",
            &words,
        ];
        if let Some(failed) = step(workspace.root(), &program, limit, output)? {
            return Ok(failed);
        }
    }
    Ok(Outcome::Passed)
}

/// Runs a program; `None` when it went well.
fn step(
    root: &Path,
    program: &[&str],
    limit: Duration,
    output: &mut dyn Write,
) -> Result<Option<Outcome>, Box<dyn Error>> {
    writeln!(output, "$ {}", program.join(" "))?;
    output.flush()?;
    match run::run(root, program, limit) {
        Ok(ran) if ran.status.success() => Ok(None),
        Ok(ran) => Ok(Some(Outcome::failed(ran.status.to_string()))),
        Err(error @ RunError::Interrupted { .. }) => Err(error.into()),
        Err(error) => Ok(Some(Outcome::failed(error.to_string()))),
    }
}
