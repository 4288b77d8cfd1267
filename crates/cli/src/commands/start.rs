//! `start`: bring stopped services back as they were.

use seaworthy_project::ServiceName;
use seaworthy_release::{Outcome, Plan};

use crate::commands::deploy::{can_be_asked, confirmed};
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::outcome;
use crate::ui::Steps;

/// Start stopped services again, with as many replicas as before
///
/// Services that run already are left as they are.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  seaworthy start\n  seaworthy start worker -y")]
pub(crate) struct StartArgs {
    /// The services; without any, all
    services: Vec<String>,
    /// Carry out the plan without asking
    #[arg(short = 'y', long)]
    yes: bool,
}

pub(crate) async fn start(context: &Context, arguments: &StartArgs) -> Result<Exit, CommandError> {
    let name = context.project_name()?;
    let services = arguments
        .services
        .iter()
        .map(|name| ServiceName::new(name).map_err(|error| CommandError::new(error.to_string(), None)))
        .collect::<Result<Vec<_>, _>>()?;
    can_be_asked(context, arguments.yes)?;
    let site = context.site_to_change(&name, None, "start")?;
    let steps = Steps::new(&context.ui);
    let operator = site.operator(&steps);
    operator.settle().await?;
    let mut confirm = |plan: &Plan| confirmed(context, &site, plan, arguments.yes);
    let outcome = operator.start(&services, &mut confirm).await?;
    if matches!(outcome, Outcome::Done { .. }) {
        let what =
            if services.is_empty() { "all services".to_owned() } else { arguments.services.join(", ") };
        context.ui.say(&format!("{name}: {what} started."));
        return Ok(Exit::Done);
    }
    Ok(outcome::tell(&context.ui, name.as_str(), &outcome, &[]))
}
