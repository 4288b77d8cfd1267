//! `gateway drain`: takes instances out of traffic, and back in.

use std::collections::BTreeSet;
use std::time::Duration;

use seaworthy_gateway::{BackendStatus, Client};
use seaworthy_project::parse_duration;
use tokio::time::{Instant, sleep};

use crate::context::Context;
use crate::error::{CommandError, Exit};

use super::{client, failed};

/// Between two looks whether requests are still in flight.
const LOOK: Duration = Duration::from_millis(100);

/// Take instances out of traffic, and wait until nothing is in flight to them
///
/// They run on and get no new requests until it is undone, or until the project's routes change, as in the next deploy. The
/// last instance of a route that gets requests is not taken. Exit code 1 says that requests were still in flight in the end.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  seaworthy gateway drain web.1\n  seaworthy gateway drain --undo web.1")]
pub(crate) struct DrainArgs {
    /// Names from `gateway status`, or SERVICE.SLOT
    #[arg(required = true, value_name = "INSTANCE")]
    instances: Vec<String>,
    /// Let them have requests again
    #[arg(long)]
    undo: bool,
    /// How long to wait for what is in flight
    #[arg(long, default_value = "30s", value_parser = time)]
    timeout: Duration,
}

fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

pub(super) async fn drain(context: &Context, arguments: &DrainArgs) -> Result<Exit, CommandError> {
    let project = context.project_name()?.to_string();
    let client = client(context);
    let there = backends(&client, &project).await?;
    let mut chosen = BTreeSet::new();
    for name in &arguments.instances {
        chosen.insert(find(name, &there, &project)?);
    }
    if !arguments.undo {
        leaves_some(&chosen, &there)?;
    }
    let ids: Vec<String> = chosen.iter().cloned().collect();
    client.set_aside(&project, &ids, !arguments.undo).await.map_err(failed)?;
    let named = ids.join(", ");
    if arguments.undo {
        context.ui.say(&format!("{project}: {named} back in traffic."));
        return Ok(Exit::Done);
    }
    let until = Instant::now() + arguments.timeout;
    loop {
        let there = backends(&client, &project).await?;
        let left: u64 = there.iter().filter(|one| chosen.contains(&one.id)).map(|one| one.in_flight).sum();
        if left == 0 {
            context.ui.say(&format!("{project}: {named} out of traffic, nothing in flight."));
            return Ok(Exit::Done);
        }
        if Instant::now() >= until {
            let seconds = arguments.timeout.as_secs_f64();
            context.ui.warn(&format!("{named} out of traffic; {left} in flight after {seconds} s."));
            return Ok(Exit::Findings);
        }
        sleep(LOOK).await;
    }
}

async fn backends(client: &Client, project: &str) -> Result<Vec<BackendStatus>, CommandError> {
    let status = client.status().await.map_err(failed)?;
    let ours = status.projects.into_iter().find(|one| one.project == project);
    ours.map(|one| one.backends).ok_or_else(|| {
        let text = format!("the gateway has no routes of project `{project}`");
        CommandError::new(
            text,
            Some("`seaworthy gateway routes` shows what it has; `-p` names another project"),
        )
    })
}

/// The instance that a name means: its own, or its service's with its slot.
fn find(name: &str, there: &[BackendStatus], project: &str) -> Result<String, CommandError> {
    let ids: BTreeSet<&String> = there.iter().map(|one| &one.id).collect();
    let means = |id: &str| {
        id == name
            || name.rsplit_once('.').is_some_and(|(service, slot)| {
                let mut parts = id.rsplitn(3, '.');
                (parts.next(), parts.nth(1)) == (Some(slot), Some(service))
            })
    };
    let found: Vec<&&String> = ids.iter().filter(|id| means(id)).collect();
    if let [one] = found.as_slice() {
        return Ok((**one).clone());
    }
    let all: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    let (text, hint) = match found.is_empty() {
        true => (
            format!("project `{project}` has no instance `{name}` in traffic"),
            format!("there are: {}", all.join(", ")),
        ),
        false => {
            let several: Vec<&str> = found.iter().map(|id| id.as_str()).collect();
            (format!("`{name}` is more than one instance"), format!("say which: {}", several.join(", ")))
        }
    };
    Err(CommandError::new(text, Some(&hint)))
}

/// Refuses to leave a route without an instance that can take requests.
fn leaves_some(chosen: &BTreeSet<String>, there: &[BackendStatus]) -> Result<(), CommandError> {
    for one in there.iter().filter(|one| chosen.contains(&one.id)) {
        let takes = |other: &&BackendStatus| {
            other.route == one.route && other.well && !other.set_aside && !chosen.contains(&other.id)
        };
        if !there.iter().any(|other| takes(&other)) {
            let text = format!("nobody else would take the requests of route `{}`", one.route);
            let hint =
                "add instances with `seaworthy scale` first, or let the service rest with `seaworthy stop`";
            return Err(CommandError::new(text, Some(hint)));
        }
    }
    Ok(())
}
