//! `bench audit`: what is found of seeded defects, what is said of sound projects, and how quickly, beside other checkers.

mod peer;
mod sample;
mod table;

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::bench::measure::{self, Cost};
use crate::workspace::Workspace;
use peer::Peer;
use sample::{Sample, Seed};
use table::Row;

/// The lists of the house's sample, each with its hardened twin.
const SAMPLES: [(&str, &str); 2] = [("defects", "hardened"), ("shop", "shop-hardened")];

/// Count what is found of seeded defects, beside other checkers
#[derive(Debug, clap::Args)]
pub(super) struct AuditArguments {
    /// A checker to compare with, as `compose-lint=PATH`; also dclint, dotenv-linter, hadolint, tally, checkov, trivy
    #[arg(long = "peer", value_name = "NAME=PATH")]
    peers: Vec<Peer>,
    /// A program built before, instead of one built now
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// Projects of others, for the speed over many files and for how much is said of one
    #[arg(long, value_name = "FOLDER")]
    corpus: Option<PathBuf>,
    /// How many Compose files the projects of others are repeated to
    #[arg(long, default_value_t = 1_400)]
    files: usize,
    /// How often each speed is measured; the median counts
    #[arg(long, default_value_t = 7)]
    runs: usize,
}

pub(super) fn audit(
    workspace: &Workspace,
    arguments: &AuditArguments,
    output: &mut dyn Write,
) -> Result<bool, Box<dyn Error>> {
    let program = match &arguments.program {
        Some(program) => program.canonicalize()?,
        None => workspace.build_release("seaworthy")?,
    };
    let folder = tempfile::tempdir()?;
    let seeds = workspace.root().join("crates/audit/tests/seeds");
    let mut rows = vec![Row::new("seaworthy")];
    rows.extend(arguments.peers.iter().map(|peer| Row::new(peer.name())));
    let mut listed = Vec::new();
    for (defects, hardened) in SAMPLES {
        let sample = Sample::copy(&seeds, defects, folder.path())?;
        let twin = Sample::copy(&seeds, hardened, folder.path())?;
        let findings = own_findings(&program, &sample.folder)?;
        rows[0].count(&sample.found(|seed| says(&findings, seed)));
        rows[0].twins += own_findings(&program, &twin.folder)?.len();
        for (peer, row) in arguments.peers.iter().zip(rows.iter_mut().skip(1)) {
            let hits = peer.hits(&sample, row)?;
            row.count(&sample.found_by(&hits));
            let said = peer.hits(&twin, row)?;
            row.twins += said.len();
        }
        listed.extend(sample.seeds);
    }
    write!(output, "{}", table::found(&listed, &rows))?;
    let mut missed = table::missed(&listed, &rows[0]);
    speed(&program, arguments, folder.path(), &mut missed, output)?;
    for goal in &missed {
        writeln!(output, "goal missed: {goal}")?;
    }
    Ok(missed.is_empty())
}

/// Whether the program says exactly that.
fn says(findings: &[Value], seed: &Seed) -> bool {
    findings.iter().any(|finding| {
        finding["rule"] == seed.rule
            && finding["place"]["path"] == seed.file
            && finding["place"]["line"] == seed.line
    })
}

/// Everything the program says of the project in a folder.
fn own_findings(program: &Path, folder: &Path) -> Result<Vec<Value>, Box<dyn Error>> {
    Ok(own_report(program, folder, &[])?["findings"].as_array().cloned().unwrap_or_default())
}

fn own_report(program: &Path, folder: &Path, paths: &[&str]) -> Result<Value, Box<dyn Error>> {
    let ran = Command::new(program)
        .args(["check", "--format", "json", "--fail-on", "never"])
        .args(paths)
        .current_dir(folder)
        .env_clear()
        .output()?;
    Ok(serde_json::from_slice(&ran.stdout)?)
}

/// One cold run over one project, and one over many files.
fn speed(
    program: &Path,
    arguments: &AuditArguments,
    folder: &Path,
    missed: &mut Vec<String>,
    output: &mut dyn Write,
) -> Result<(), Box<dyn Error>> {
    let own = program.to_str().ok_or("the path of the program is not text.")?;
    let check = [own, "check", "--format", "json", "--fail-on", "never"];
    let lint = arguments.peers.iter().find(|peer| peer.name() == "compose-lint");
    let shop = folder.join("shop");
    let mut whole = vec![("one project", shop.clone(), check.to_vec())];
    if let Some(lint) = lint {
        whole.push(("one project", shop, vec![lint.path()?, "--format", "json", "compose.yaml"]));
    }
    let many = folder.join("many");
    let (copies, beside) = match &arguments.corpus {
        Some(corpus) => sample::repeat(corpus, arguments.files, &many)?,
        None => (Vec::new(), 0),
    };
    let label = format!("{} files", copies.len());
    if !copies.is_empty() {
        whole.push((label.as_str(), many.clone(), check.iter().copied().chain(["."]).collect()));
        if let Some(lint) = lint {
            let files = copies.iter().map(String::as_str);
            whole.push((
                label.as_str(),
                many.clone(),
                [lint.path()?, "--format", "json"].into_iter().chain(files).collect(),
            ));
        }
    }
    let mut costs = vec![Vec::new(); whole.len()];
    // In turn, so that what else the machine does meanwhile meets all.
    for _ in 0..arguments.runs.max(1) {
        for ((_, folder, command), costs) in whole.iter().zip(&mut costs) {
            costs.push(whatever_it_ends_with(folder, command)?);
        }
    }
    let medians: Vec<Cost> = costs.into_iter().filter_map(measure::median).collect();
    let lines = whole.iter().zip(&medians).map(|((what, _, command), cost)| (*what, command[0], *cost));
    write!(output, "\n{}", table::speed(lines))?;
    table::missed_speed(&medians, lint.is_some(), missed);
    if !copies.is_empty() {
        let report = own_report(program, &many, &["."])?;
        let said = table::said(&report, copies.len(), beside);
        writeln!(output, "\n{said}")?;
        table::missed_quiet(&said, missed);
    }
    Ok(())
}

/// Measures a program that ends with something else than 0 when it has found something.
fn whatever_it_ends_with(folder: &Path, command: &[&str]) -> Result<Cost, Box<dyn Error>> {
    let shell = ["sh", "-c", "\"$@\" || true", "sh"];
    measure::run(folder, &[&shell, command].concat())
}
