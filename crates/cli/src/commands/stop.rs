//! `stop`: let services rest, and remember how many there were.

use seaworthy_project::ServiceName;
use seaworthy_release::{Outcome, Plan};

use crate::commands::deploy::{can_be_asked, confirmed};
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::outcome;
use crate::ui::Steps;

/// Stop services: their instances go, their routes answer 503
///
/// It is a plan like any other. It lasts until `start`, or until the next `deploy`, which brings up all that the Compose
/// files say. Volumes and releases stay; `down` takes everything away.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  seaworthy stop\n  seaworthy stop worker -y")]
pub(crate) struct StopArgs {
    /// The services; without any, all
    services: Vec<String>,
    /// Carry out the plan without asking
    #[arg(short = 'y', long)]
    yes: bool,
}

pub(crate) async fn stop(context: &Context, arguments: &StopArgs) -> Result<Exit, CommandError> {
    let name = context.project_name()?;
    let services = arguments
        .services
        .iter()
        .map(|name| ServiceName::new(name).map_err(|error| CommandError::new(error.to_string(), None)))
        .collect::<Result<Vec<_>, _>>()?;
    can_be_asked(context, arguments.yes)?;
    let site = context.site_to_change(&name, None, "stop")?;
    let steps = Steps::new(&context.ui);
    let operator = site.operator(&steps);
    operator.settle().await?;
    let mut confirm = |plan: &Plan| confirmed(context, &site, plan, arguments.yes);
    let outcome = operator.stop(&services, &mut confirm).await?;
    if matches!(outcome, Outcome::Done { .. }) {
        let what =
            if services.is_empty() { "all services".to_owned() } else { arguments.services.join(", ") };
        context.ui.say(&format!("{name}: {what} stopped; `seaworthy start` brings back what ran."));
        return Ok(Exit::Done);
    }
    Ok(outcome::tell(&context.ui, name.as_str(), &outcome, &[]))
}
