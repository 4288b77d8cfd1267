//! `restart`: new instances of the same release, with no failed request.

use seaworthy_project::ServiceName;
use seaworthy_release::Plan;

use crate::commands::deploy::{can_be_asked, confirmed};
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::guard;
use crate::outcome;
use crate::ui::Steps;

/// Replace instances by new ones of the same release, with no failed request
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  seaworthy restart\n  seaworthy restart web -y")]
pub(crate) struct RestartArgs {
    /// The services; without any, all
    services: Vec<String>,
    /// Carry out the plan without asking
    #[arg(short = 'y', long)]
    yes: bool,
}

pub(crate) async fn restart(context: &Context, arguments: &RestartArgs) -> Result<Exit, CommandError> {
    let name = context.project_name()?;
    let services = arguments
        .services
        .iter()
        .map(|name| ServiceName::new(name).map_err(|error| CommandError::new(error.to_string(), None)))
        .collect::<Result<Vec<_>, _>>()?;
    can_be_asked(context, arguments.yes)?;
    let site = context.site_to_change(&name, None, "restart")?;
    let steps = Steps::new(&context.ui);
    let operator = site.operator(&steps);
    operator.settle().await?;
    let mut confirm = |plan: &Plan| confirmed(context, &site, plan, arguments.yes);
    let outcome = operator.restart(&services, &mut confirm).await?;
    guard::keep(context, &site).await;
    Ok(outcome::tell(&context.ui, name.as_str(), &outcome, &[]))
}
