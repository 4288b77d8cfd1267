//! The gate before a deploy: what is not fit for production is not deployed, unless somebody decided so.

use seaworthy_audit::Threshold;
use seaworthy_audit::report::Report;
use seaworthy_project::Project;

use crate::audit::{Auditor, FailOn};
use crate::context::Context;
use crate::error::CommandError;

/// Whether a deploy may go on; says why where it may not. In development it only warns, unless it was asked for.
pub(crate) fn is_open(
    context: &Context,
    project: &Project,
    fail_on: Option<FailOn>,
) -> Result<bool, CommandError> {
    if fail_on == Some(FailOn::Never) {
        return Ok(true);
    }
    let auditor = Auditor::new(context, fail_on, None, None)?;
    let mut checked = auditor.decided(project, &context.globals.files)?;
    let threshold = checked.threshold;
    let Threshold::At(least) = threshold else { return Ok(true) };
    let review = &mut checked.review;
    review.items.retain(|item| item.counts() && threshold.is_reached(item.finding.severity));
    review.unused.clear();
    let count = review.told().len();
    if count == 0 {
        return Ok(true);
    }
    let findings = if count == 1 { "1 finding is".to_owned() } else { format!("{count} findings are") };
    if project.environment.as_str() == "development" && fail_on.is_none() {
        context.ui.warn(&format!(
            "{findings} {least} or worse; elsewhere they would stop a deploy (`seaworthy -e development check` shows them)"
        ));
        return Ok(true);
    }
    let report = Report { checked: vec![checked], ..Report::default() };
    context.ui.insist(report.text(context.ui.err.is_on()).trim_end());
    context.ui.insist(&format!(
        "error: {findings} {least} or worse, so nothing was deployed and nothing was changed."
    ));
    context.ui.hint(
        "mend them, waive them with a reason (`# seaworthy:ignore RULE reason` at the line), or deploy with `--fail-on never`.",
    );
    Ok(false)
}
