//! `scale`: the same release with other counts.

use std::collections::BTreeMap;

use seaworthy_project::ServiceName;
use seaworthy_release::Plan;

use crate::commands::deploy::{can_be_asked, confirmed};
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::guard;
use crate::outcome;
use crate::ui::Steps;

/// Run the same release with other counts, until the next deploy
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  seaworthy scale web=5\n  seaworthy scale web=3 worker=2 -y")]
pub(crate) struct ScaleArgs {
    /// SERVICE=N, one or more
    #[arg(required = true, value_name = "SERVICE=N", value_parser = count)]
    counts: Vec<(String, u32)>,
    /// Carry out the plan without asking
    #[arg(short = 'y', long)]
    yes: bool,
}

pub(crate) async fn scale(context: &Context, arguments: &ScaleArgs) -> Result<Exit, CommandError> {
    let name = context.project_name()?;
    let service =
        |name: &str| ServiceName::new(name).map_err(|error| CommandError::new(error.to_string(), None));
    let counts = arguments
        .counts
        .iter()
        .map(|(name, count)| Ok((service(name)?, *count)))
        .collect::<Result<BTreeMap<_, _>, CommandError>>()?;
    if counts.len() < arguments.counts.len() {
        return Err(CommandError::new("a service is named twice", Some("name each service once")));
    }
    can_be_asked(context, arguments.yes)?;
    let site = context.site_to_change(&name, None, "scale")?;
    let steps = Steps::new(&context.ui);
    let operator = site.operator(&steps);
    operator.settle().await?;
    let mut confirm = |plan: &Plan| confirmed(context, &site, plan, arguments.yes);
    let outcome = operator.scale(&counts, &mut confirm).await?;
    guard::keep(context, &site).await;
    Ok(outcome::tell(&context.ui, name.as_str(), &outcome, &[]))
}

/// Reads `web=5`; the limit keeps a slip of the finger from filling a machine.
fn count(text: &str) -> Result<(String, u32), String> {
    const MOST: u32 = 100;
    let (service, count) = text.split_once('=').ok_or("write SERVICE=N, such as `web=3`")?;
    let count: u32 = count.parse().map_err(|_| format!("`{count}` is not a count"))?;
    if count > MOST {
        return Err(format!("{count} is more than the {MOST} replicas that one machine is trusted with"));
    }
    Ok((service.to_owned(), count))
}
