//! `maintenance`: clients are told to come again while a project is worked on.

use std::time::Duration;

use seaworthy_gateway::route::Network;
use seaworthy_gateway::{Client, GatewayError, Maintenance};
use seaworthy_project::parse_duration;
use seaworthy_release::{Clock, SystemClock};

use crate::context::Context;
use crate::error::{CommandError, Exit, with_causes};

/// Tell the clients of a project to come again later, while it is worked on
///
/// Without `on` or `off`, says how it is. It lasts over deploys and restarts of the gateway, until `off`. Connections
/// that were there stay, and so do TCP ports that are passed through.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  seaworthy maintenance on --message \"Back at 10:00.\" --allow 192.0.2.7\n  seaworthy maintenance off"
)]
pub(crate) struct MaintenanceArgs {
    #[command(subcommand)]
    change: Option<Change>,
}

/// What becomes of it.
#[derive(Debug, clap::Subcommand)]
enum Change {
    /// Answer clients with 503
    On {
        /// What clients are told
        #[arg(long, value_name = "TEXT")]
        message: Option<String>,
        /// An address or a network whose clients are served all the same; several times for several
        #[arg(long, value_name = "ADDRESS")]
        allow: Vec<Network>,
        /// When clients are told to come again
        #[arg(long, value_name = "TIME", default_value = "10m", value_parser = time)]
        retry_after: Duration,
    },
    /// Serve all clients again
    Off,
}

fn time(text: &str) -> Result<Duration, String> {
    let time = parse_duration(text).map_err(|error| error.to_string())?;
    if time.as_secs() == 0 { Err("it is less than a second".to_owned()) } else { Ok(time) }
}

pub(crate) async fn maintenance(
    context: &Context,
    arguments: &MaintenanceArgs,
) -> Result<Exit, CommandError> {
    let name = context.project_name()?;
    let site = context.site_that_is(&name)?;
    let client: &Client = site.traffic.client();
    let project = name.as_str();
    let text = match &arguments.change {
        Some(Change::On { message, allow, retry_after }) => {
            let closed = Maintenance {
                since: SystemClock.now(),
                message: message.clone(),
                allow: allow.clone(),
                retry_after_seconds: retry_after.as_secs(),
            };
            client.maintain(project, Some(closed)).await.map_err(failed)?;
            let others = if allow.is_empty() { "" } else { ", but those that `--allow` names" };
            format!("{project} answers all clients with 503{others}. `seaworthy maintenance off` ends it.\n")
        }
        Some(Change::Off) => {
            let before = client.maintained(project).await.map_err(failed)?;
            client.maintain(project, None).await.map_err(failed)?;
            match before {
                Some(_) => format!("{project} serves all clients again.\n"),
                None => format!("{project} served all clients already.\n"),
            }
        }
        None => match client.maintained(project).await.map_err(failed)? {
            Some(closed) => format!("{project} has answered clients with 503 since {}.\n", closed.since),
            None => format!("{project} serves all clients.\n"),
        },
    };
    context.ui.data(&text);
    Ok(Exit::Done)
}

fn failed(error: GatewayError) -> CommandError {
    let hint = matches!(error, GatewayError::NotRunning { .. })
        .then_some("the gateway runs while a project with routes is deployed: run `seaworthy deploy` first");
    CommandError::new(with_causes(&error), hint)
}
