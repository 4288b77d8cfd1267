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
    // A point of a rule, as waivers name it, is explained with its rule.
    let id = rule.split('/').next().unwrap_or(rule).to_ascii_lowercase();
    if let Some(page) = seaworthy_audit::explain(&id) {
        context.ui.data(&page);
        return Ok(Exit::Done);
    }
    let near = seaworthy_audit::nearest_rule(&id).map_or_else(
        || "`seaworthy explain` without a rule lists them all".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Err(CommandError::new(format!("there is no rule `{rule}`"), Some(&near)))
}
