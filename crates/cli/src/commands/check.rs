//! `check`: validate projects and audit them.

mod many;
mod paths;

use std::path::PathBuf;

use clap::ValueEnum;
use seaworthy_audit::Review;
use seaworthy_audit::baseline::baseline;
use seaworthy_audit::report::{Report, Standard};
use seaworthy_project::load;

use crate::audit::{Auditor, FailOn};
use crate::commands::harden::{HardenArgs, harden};
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::surroundings::{DiskAndInput, write_file};

/// Validate projects and say what is not fit for production
///
/// Without PATH, it is the project of this folder. Each PATH is a Compose file, or a folder in which all Compose files are
/// found, each a project of its own.
///
/// Ends with 0 when nothing is as severe as `--fail-on` or worse, with 1 when something is, and with 2 when some file
/// could not be read or judged, whatever was found in the others.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seaworthy check
  seaworthy -e development check --fail-on medium
  seaworthy check --format sarif --output seaworthy.sarif
  seaworthy check --by cis
  seaworthy check --fix
  seaworthy check --write-baseline known.json
  seaworthy check --baseline known.json services/ legacy/docker-compose.yml

A finding may stay when somebody says why, at its line or above it:
  # seaworthy:ignore moving-tag the vendor publishes no versions until=2027-01-31
or in `seaworthy.policy.yaml`; see docs/guides/checking.md.")]
pub(crate) struct CheckArgs {
    /// Compose files, or folders to look for them in
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// First apply the fixes after which every service behaves as before, as `harden --safe` does
    #[arg(long, conflicts_with = "paths")]
    fix: bool,
    /// How the report is written
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,
    /// Write the report to a file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The least severity that makes the check fail; else what the policy says, else high
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
    /// By the items of a standard: passed, failed, or not checkable from files (text, markdown, html)
    #[arg(long, value_enum, value_name = "STANDARD")]
    by: Option<By>,
    /// Policy file, instead of `seaworthy.policy.yaml` beside the project or above it
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Findings that are known in this file, and no worse since, do not count
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write what is found to this file, for `--baseline`
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    write_baseline: Option<PathBuf>,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// For people
    Text,
    /// For programs, with a version number
    Json,
    /// SARIF 2.1.0, for code hosts and editors
    Sarif,
    /// JUnit's XML, for CI systems
    Junit,
    /// Annotations of a GitHub workflow
    Github,
    /// Code Climate's JSON, for GitLab
    Codeclimate,
    /// For a comment or a job's summary
    Markdown,
    /// One page that needs nothing else
    Html,
}

/// A standard to order a report by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// CIS Docker Benchmark 1.6
    Cis,
    /// OWASP Docker Security Cheat Sheet
    Owasp,
}

pub(crate) fn check(context: &Context, arguments: &CheckArgs) -> Result<Exit, CommandError> {
    use ReportFormat::{Html, Markdown, Text};
    if arguments.by.is_some() && !matches!(arguments.format, Text | Markdown | Html) {
        return Err(CommandError::new(
            "this format cannot be ordered by a standard",
            Some("use `--format text`, `markdown` or `html` with `--by`"),
        ));
    }
    if arguments.fix {
        harden(context, &HardenArgs::before_check())?;
    }
    let (policy, known) = (arguments.policy.as_deref(), arguments.baseline.as_deref());
    let auditor = Auditor::new(context, arguments.fail_on, policy, known)?;
    let mut report = if arguments.paths.is_empty() {
        one(context, &auditor)?
    } else {
        many::many(context, &auditor, &arguments.paths)?
    };
    report.by = arguments.by.map(|by| match by {
        By::Cis => Standard::Cis,
        By::Owasp => Standard::Owasp,
    });
    for unchecked in &report.unchecked {
        context.ui.error(&CommandError::from(unchecked.clone()));
    }
    if arguments.format != Text || !report.checked.is_empty() || report.unchecked.len() > 1 {
        write(context, arguments, &report)?;
    }
    if !report.unchecked.is_empty() {
        return Ok(Exit::CouldNotRun);
    }
    if let Some(path) = &arguments.write_baseline {
        keep(context, path, &report)?;
        return Ok(Exit::Done);
    }
    Ok(if report.fails() { Exit::Findings } else { Exit::Done })
}

/// The project of this folder.
fn one(context: &Context, auditor: &Auditor) -> Result<Report, CommandError> {
    let request = context.request()?;
    let loaded = load(&request, &DiskAndInput::new(&context.surroundings, &request));
    context.warnings(&loaded);
    let mut report = Report::default();
    match &loaded.project {
        Some(project) => {
            let folder = project.directory.strip_prefix(&context.surroundings.folder);
            let name = folder.map(|folder| folder.display().to_string()).unwrap_or_default();
            report.add(auditor.audit(project, &name, &context.globals.files));
        }
        None => report.unchecked.push(auditor.not_loaded(loaded, ".", &request)),
    }
    Ok(report)
}

fn write(context: &Context, arguments: &CheckArgs, report: &Report) -> Result<(), CommandError> {
    let color = arguments.output.is_none() && context.ui.out.is_on();
    let text = match arguments.format {
        ReportFormat::Text => report.text(color),
        ReportFormat::Json => report.json(),
        ReportFormat::Sarif => report.sarif(env!("CARGO_PKG_VERSION")),
        ReportFormat::Junit => report.junit(),
        ReportFormat::Github => report.github(),
        ReportFormat::Codeclimate => report.codeclimate(),
        ReportFormat::Markdown => report.markdown(),
        ReportFormat::Html => report.html(),
    };
    match &arguments.output {
        None => {
            context.ui.data(&text);
        }
        Some(path) => {
            put(context, path, &text)?;
            context.ui.say(&format!("The report was written to `{}`.", path.display()));
        }
    }
    Ok(())
}

fn keep(context: &Context, path: &std::path::Path, report: &Report) -> Result<(), CommandError> {
    let reviews: Vec<&Review> = report.checked.iter().map(|checked| &checked.review).collect();
    put(context, path, &baseline(&reviews))?;
    context.ui.say(&format!("What is known now was written to `{}`.", path.display()));
    Ok(())
}

fn put(context: &Context, path: &std::path::Path, text: &str) -> Result<(), CommandError> {
    write_file(&context.surroundings.folder.join(path), text).map_err(|error| {
        let text = format!("could not write `{}`: {error}", path.display());
        CommandError::new(text, Some("check that its folder is there and may be written to"))
    })
}
