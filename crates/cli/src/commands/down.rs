//! `down`: take everything of the project down.

use seaworthy_release::Plan;

use crate::commands::deploy::{can_be_asked, confirmed};
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::outcome;
use crate::ui::Steps;

/// Take everything of the project down; volumes and releases stay
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  seaworthy down\n  seaworthy down --volumes    the data too, after asking"
)]
pub(crate) struct DownArgs {
    /// Delete the project's volumes as well: their data is gone for good
    #[arg(long)]
    volumes: bool,
    /// Carry out the plan without asking
    #[arg(short = 'y', long)]
    yes: bool,
}

pub(crate) async fn down(context: &Context, arguments: &DownArgs) -> Result<Exit, CommandError> {
    let name = context.project_name()?;
    can_be_asked(context, arguments.yes)?;
    let site = context.site_to_change(&name, None, "down")?;
    let steps = Steps::new(&context.ui);
    let operator = site.operator(&steps);
    operator.settle().await?;
    if arguments.volumes && !arguments.yes {
        let volumes = site.engine.volumes(&name).await?;
        let list = if volumes.is_empty() { "no volumes".to_owned() } else { volumes.join(", ") };
        if !context.ui.confirm(&format!("Delete {list} and all data in them for good?")) {
            context.ui.say("Nothing was changed.");
            return Ok(Exit::Findings);
        }
    }
    let mut confirm = |plan: &Plan| confirmed(context, &site, plan, arguments.yes);
    let outcome = operator.down(arguments.volumes, &mut confirm).await?;
    Ok(outcome::tell(&context.ui, name.as_str(), &outcome, &[]))
}
