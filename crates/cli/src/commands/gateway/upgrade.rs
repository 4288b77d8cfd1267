//! `gateway upgrade`: the gateway that runs becomes this program.

use seaworthy_gateway::{Build, GatewayError};

use crate::context::Context;
use crate::error::{CommandError, Exit, with_causes};
use crate::guard;

use super::{client, failed};

/// Have the gateway that runs go on as this program, without a request failing
///
/// For after a new version was installed: until then the gateway goes on as the program that started it. A worker of this program
/// is started beside the one that serves, and takes over once it serves the same routes; the old one finishes what it has.
/// Connections are neither refused nor cut. If this program does not come up, the gateway serves as before and the exit
/// code is 3. When the gateway is this program already, nothing is done.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  seaworthy gateway upgrade\n  ./seaworthy-next gateway upgrade")]
pub(crate) struct UpgradeArgs {}

pub(super) async fn upgrade(context: &Context, _arguments: &UpgradeArgs) -> Result<Exit, CommandError> {
    let state = context.surroundings.state_folder();
    let client = client(context);
    let own = Build::own().ok();
    let supervisor = client.supervisor().await.map_err(failed)?;
    // One of another protocol does not tell; that is a reason to go on.
    let worker = client.status().await.ok().and_then(|status| status.build);
    if own.is_some() && supervisor.build == own && worker == own {
        context
            .ui
            .say(&format!("The gateway is this program already (version {}).", env!("CARGO_PKG_VERSION")));
        return Ok(Exit::Done);
    }
    let program = context.gateway_program(&state, guard::is_wanted(&context.surroundings));
    match client.upgrade(&program).await {
        Ok(now) => {
            let version = now.build.as_ref().map_or_else(String::new, |build| format!("version {build} "));
            let served = client.status().await.map_err(failed)?;
            context.ui.say(&format!(
                "The gateway is {version}now: supervisor {}, worker {}. No connection was refused or cut.",
                now.process, served.process
            ));
            guard::renew(context).await;
            Ok(Exit::Done)
        }
        Err(error @ (GatewayError::NotUpgraded { .. } | GatewayError::HalfUpgraded { .. })) => {
            let mut told = CommandError::new(
                with_causes(&error).trim_end_matches('.'),
                Some(error.hint().trim_end_matches('.')),
            );
            told.exit = Exit::RolledBack;
            Err(told)
        }
        Err(error) => Err(failed(error)),
    }
}
