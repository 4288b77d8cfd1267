//! `down`: take everything of the project down.

use seaworthy_release::{Outcome, Plan};

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
    let mut volumes = Vec::new();
    if arguments.volumes {
        volumes = site.engine.volumes(&name).await?;
        for volume in &volumes {
            context.ui.say(&format!("  volume {volume} goes, with all data in it"));
        }
        let question = match volumes.as_slice() {
            [] => None,
            [volume] => Some(format!("Delete volume {volume} for good?")),
            volumes => Some(format!("Delete these {} volumes for good?", volumes.len())),
        };
        if let Some(question) = question.filter(|_| !arguments.yes)
            && !context.ui.confirm(&question)
        {
            context.ui.say("Nothing was changed.");
            return Ok(Exit::Findings);
        }
    }
    let mut confirm = |plan: &Plan| confirmed(context, &site, plan, arguments.yes);
    let outcome = operator.down(arguments.volumes, &mut confirm).await?;
    let deleted = match outcome {
        Outcome::Done { .. } | Outcome::Nothing { .. } => volumes,
        _ => Vec::new(),
    };
    let exit = match outcome {
        Outcome::Nothing { .. } if !deleted.is_empty() => {
            context.ui.say(&format!("{name}: nothing ran any more."));
            Exit::Done
        }
        _ => outcome::tell(&context.ui, name.as_str(), &outcome, &[]),
    };
    for volume in &deleted {
        context.ui.say(&format!("  volume {volume} is deleted"));
    }
    Ok(exit)
}
