//! `deploy`: roll the project forward to what its Compose files say.

use seaworthy_release::{Outcome, Plan, draft, drop_files, keep_files};

use crate::audit::FailOn;
use crate::certificates;
use crate::commands::verify;
use crate::context::{Context, Site};
use crate::error::{CommandError, Exit};
use crate::gate;
use crate::guard;
use crate::outcome;
use crate::surroundings::Disk;
use crate::ui::{Steps, plan_text};

/// Roll the project forward to what its Compose files say
///
/// Nothing is deployed that `check` would fail, unless it is waived; in development it is only warned of.
/// Shows the plan and asks. New instances are started and proven before any request goes to them; the old ones go
/// after. If the new release does not get ready, all is as before, the exit code is 3, and what was seen is kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  seaworthy deploy\n  seaworthy -e staging deploy -y")]
pub(crate) struct DeployArgs {
    /// Carry out the plan without asking
    #[arg(short = 'y', long)]
    yes: bool,
    /// The least severity of a finding that stops the deploy; else what the policy says, else high
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
    /// Remove containers that another tool made under the project's name, after the switch
    #[arg(long)]
    remove_orphans: bool,
}

pub(crate) async fn deploy(context: &Context, arguments: &DeployArgs) -> Result<Exit, CommandError> {
    let project = context.project()?;
    can_be_asked(context, arguments.yes)?;
    if !gate::is_open(context, &project, arguments.fail_on)? {
        return Ok(Exit::Findings);
    }
    let site = context.site_to_change(&project.name, Some(&project), "deploy")?;
    let steps = Steps::new(&context.ui);
    let operator = site.operator(&steps);
    operator.settle().await?;
    let origin = context.surroundings.origin(&project.directory);
    certificates::hold(&project)?;
    let mut draft = draft(&project, site.engine.as_ref(), &Disk, origin, true, &steps)
        .await
        .map_err(|errors| CommandError::releases(errors, project.sources.clone()))?;
    let kept = keep_files(&draft, site.traffic.client().state());
    if !kept.is_empty() {
        return Err(CommandError::releases(kept, project.sources.clone()));
    }
    draft.remove_orphans = arguments.remove_orphans;
    let mut confirm = |plan: &Plan| confirmed(context, &site, plan, arguments.yes);
    let outcome = operator.deploy(draft, &mut confirm).await;
    drop_files(&site.store, site.traffic.client().state(), project.name.as_str());
    guard::keep(context, &site).await;
    let outcome = outcome.map_err(|error| CommandError::from(error).with_sources(&project.sources))?;
    let exit =
        outcome::tell(&context.ui, project.name.as_str(), &outcome, &outcome::addresses::all(&project));
    if let Ok(Some(closed)) = site.traffic.client().maintained(project.name.as_str()).await {
        context.ui.warn(&format!("clients are answered with 503, since {} already.", closed.since));
        context.ui.hint("`seaworthy maintenance off` lets them in.");
    }
    if matches!(outcome, Outcome::Done { .. }) {
        verify::warn(context, &operator, Some(&project)).await;
    }
    Ok(exit)
}

/// Without a terminal nobody can answer: then the wish must be on the command line.
pub(crate) fn can_be_asked(context: &Context, yes: bool) -> Result<(), CommandError> {
    if yes || context.ui.can_ask() {
        return Ok(());
    }
    Err(CommandError::new(
        "there is no terminal to ask on",
        Some("add `-y` to carry out the plan without asking"),
    ))
}

/// Shows the plan and asks, unless `yes`.
pub(crate) fn confirmed(context: &Context, site: &Site, plan: &Plan, yes: bool) -> bool {
    let text = plan_text(plan, site.project.as_str(), context.ui.verbose, context.ui.err);
    context.ui.say(text.trim_end());
    let yes = plan.is_empty() || yes || context.ui.confirm("Carry out this plan?");
    if yes {
        // Until here Ctrl-C simply ends the program: nothing was begun.
        site.listen_for_interrupts();
    }
    yes
}
