//! `plan`: what a deploy would do, why, and with or without a gap.

use seaworthy_release::{Plan, draft};
use serde_json::json;

use crate::arguments::Format;
use crate::certificates;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::surroundings::Disk;
use crate::ui::{Steps, plan_text};

/// Show what a deploy would do, why, and with or without a gap; changes nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  seaworthy plan\n  seaworthy plan --exit-code --format json")]
pub(crate) struct PlanArgs {
    /// End with 1 when there is something to do
    #[arg(long)]
    exit_code: bool,
    /// As `deploy --remove-orphans` would
    #[arg(long)]
    remove_orphans: bool,
    /// Text or JSON
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) async fn plan(context: &Context, arguments: &PlanArgs) -> Result<Exit, CommandError> {
    let project = context.project()?;
    let steps = Steps::new(&context.ui);
    let origin = context.surroundings.origin(&project.directory);
    let site = context.site_to_plan(&project)?;
    certificates::hold(&project)?;
    let mut draft = draft(&project, site.engine.as_ref(), &Disk, origin, false, &steps)
        .await
        .map_err(|errors| CommandError::releases(errors, project.sources.clone()))?;
    draft.remove_orphans = arguments.remove_orphans;
    let operator = site.operator(&steps);
    if let Some(change) = site.store.unfinished()? {
        let kind = change.kind;
        context.ui.warn(&format!(
            "an earlier {kind} was cut off; the next command that changes things settles it first"
        ));
    }
    let plan = operator.preview(draft).await;
    let plan = plan.map_err(|error| CommandError::from(error).with_sources(&project.sources))?;
    context.ui.data(&match arguments.format {
        Format::Text => plan_text(&plan, project.name.as_str(), true, context.ui.out),
        Format::Json => json_text(&plan, project.name.as_str()),
    });
    Ok(if arguments.exit_code && !plan.is_empty() { Exit::Findings } else { Exit::Done })
}

fn json_text(plan: &Plan, project: &str) -> String {
    let told = json!({ "version": 1, "project": project, "plan": plan });
    format!("{}\n", serde_json::to_string_pretty(&told).unwrap_or_default())
}
