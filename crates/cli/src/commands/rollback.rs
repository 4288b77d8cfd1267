//! `rollback`: back to an older release, code, configuration and environment together.

use seaworthy_release::{Outcome, Plan, ReleaseNumber};

use crate::commands::deploy::{can_be_asked, confirmed};
use crate::commands::verify;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::guard;
use crate::outcome;
use crate::ui::Steps;

/// Go back to an older release: code, configuration and environment together
///
/// Needs neither the Compose files' variables nor the old code in the folder: a release keeps what it runs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  seaworthy rollback        to the good release before the one that runs\n  seaworthy rollback 3 -y"
)]
pub(crate) struct RollbackArgs {
    /// The release; without it, the good one before the one that runs
    release: Option<u32>,
    /// Carry out the plan without asking
    #[arg(short = 'y', long)]
    yes: bool,
}

pub(crate) async fn rollback(context: &Context, arguments: &RollbackArgs) -> Result<Exit, CommandError> {
    let name = context.project_name()?;
    can_be_asked(context, arguments.yes)?;
    let site = context.site_to_change(&name, None, "rollback")?;
    let steps = Steps::new(&context.ui);
    let operator = site.operator(&steps);
    operator.settle().await?;
    let mut confirm = |plan: &Plan| confirmed(context, &site, plan, arguments.yes);
    let outcome = operator.rollback(arguments.release.map(ReleaseNumber), &mut confirm).await?;
    guard::keep(context, &site).await;
    let exit = outcome::tell(&context.ui, name.as_str(), &outcome, &[]);
    if matches!(outcome, Outcome::Done { .. }) {
        verify::warn(context, &operator, None).await;
    }
    Ok(exit)
}
