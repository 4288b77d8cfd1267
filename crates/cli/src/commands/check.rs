//! `check`: validate the project and audit it.

use clap::ValueEnum;
use seaworthy_audit::{Findings, Severity};

use crate::arguments::Format;
use crate::context::Context;
use crate::error::{CommandError, Exit};

/// Validate the project and say what is not fit for production
///
/// Ends with 0 when nothing is as severe as `--fail-on` or worse, with 1 when something is, and with 2 when the files
/// cannot be read.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  seaworthy check\n  seaworthy -e development check --fail-on medium\n  seaworthy check --format json"
)]
pub(crate) struct CheckArgs {
    /// Text or JSON
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The least severity that makes the check fail
    #[arg(long, value_enum, default_value = "high", value_name = "SEVERITY")]
    fail_on: FailOn,
}

/// The least severity that makes the check fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Critical,
    High,
    Medium,
    Low,
    Info,
    /// Never fail because of findings
    None,
}

pub(crate) fn check(context: &Context, arguments: &CheckArgs) -> Result<Exit, CommandError> {
    let project = context.project()?;
    let findings = seaworthy_audit::check(&project);
    context.ui.data(&match arguments.format {
        Format::Text => seaworthy_audit::report::text(&findings, &project, context.ui.out.is_on()),
        Format::Json => seaworthy_audit::report::json(&findings, &project),
    });
    Ok(if fails(&findings, arguments.fail_on) { Exit::Findings } else { Exit::Done })
}

fn fails(findings: &Findings, least: FailOn) -> bool {
    let least = match least {
        FailOn::Critical => Severity::Critical,
        FailOn::High => Severity::High,
        FailOn::Medium => Severity::Medium,
        FailOn::Low => Severity::Low,
        FailOn::Info => Severity::Info,
        FailOn::None => return false,
    };
    Severity::ALL
        .iter()
        .take_while(|severity| **severity != least)
        .chain([&least])
        .any(|severity| findings.count(*severity) > 0)
}
