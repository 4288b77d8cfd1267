//! `explain`: the page of a rule.

use crate::context::Context;
use crate::error::{CommandError, Exit};

/// Explain a rule: what it flags, why it matters, how to mend it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  seaworthy explain                        all rules\n  seaworthy explain missing-healthcheck"
)]
pub(crate) struct ExplainArgs {
    /// The rule; without it, all rules are listed
    rule: Option<String>,
}

pub(crate) fn explain(context: &Context, arguments: &ExplainArgs) -> Result<Exit, CommandError> {
    let Some(rule) = &arguments.rule else {
        context.ui.data(&seaworthy_audit::list());
        return Ok(Exit::Done);
    };
    match seaworthy_audit::explain(rule) {
        Some(page) => {
            context.ui.data(&page);
            Ok(Exit::Done)
        }
        None => Err(CommandError::new(
            format!("there is no rule `{rule}`"),
            Some("`seaworthy explain` without a rule lists them all"),
        )),
    }
}
