//! `agent`: what watches over all projects of the state folder and brings back what should run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use seaworthy_agent::{Agent, AgentError, Place, run};
use seaworthy_release::SystemClock;
use tokio::sync::watch;

use crate::arguments::Format;
use crate::commands::wait;
use crate::context::Context;
use crate::error::{CommandError, Exit, with_causes};
use crate::guard;

/// Without a round for so long, the agent is taken for stuck.
const LATE: Duration = Duration::from_secs(60);
/// Between two looks of one that waits for its turn.
const TURN: Duration = Duration::from_millis(500);

/// Watch over what runs, and bring back what ended, was lost or is not well
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  seaworthy agent status\n  seaworthy agent run --stay     in the foreground"
)]
pub(crate) struct AgentArgs {
    #[command(subcommand)]
    verb: Verb,
}

/// What about it.
#[derive(Debug, clap::Subcommand)]
enum Verb {
    Run(RunArgs),
    Status(StatusArgs),
}

/// Watch in the foreground, until told to end or nothing should run any more
///
/// Every command that deploys starts one where there is none, so it need not be typed. There is one per state folder.
/// `SEAWORTHY_AGENT=off` in the environment of a deploy starts none.
#[derive(Debug, clap::Args)]
struct RunArgs {
    /// The state folder, instead of `$SEAWORTHY_STATE`
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Milliseconds between two rounds
    #[arg(long, value_name = "MS", default_value = "2000", value_parser = clap::value_parser!(u64).range(100..=60_000))]
    every: u64,
    /// Go on watching when nothing should run, and wait while another agent watches
    #[arg(long)]
    stay: bool,
    /// Leave the terminal
    #[arg(long, hide = true)]
    detached: bool,
    /// While another agent watches, wait for its end, or for that of standard input
    #[arg(long, hide = true)]
    wait: bool,
}

/// Show whether an agent watches, when it looked last, and what it brought back
#[derive(Debug, clap::Args)]
struct StatusArgs {
    /// Text or JSON
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn agent(context: &Context, arguments: &AgentArgs) -> Result<Exit, CommandError> {
    match &arguments.verb {
        Verb::Run(run) => watch(context, run),
        Verb::Status(status) => show(context, status),
    }
}

fn watch(context: &Context, arguments: &RunArgs) -> Result<Exit, CommandError> {
    if arguments.detached {
        // It fails only when it leads a session already.
        let _ = nix::unistd::setsid();
    }
    let state = match &arguments.state {
        Some(state) => context.surroundings.folder.join(state),
        None => context.surroundings.state_folder(),
    };
    let place = Place::new(&state);
    let starter = arguments.wait.then(|| context.surroundings.end_of_input());
    loop {
        while (arguments.stay || arguments.wait) && place.tenant().is_some() {
            let gone = |ended: &Arc<AtomicBool>| ended.load(Ordering::Relaxed);
            if starter.as_ref().is_some_and(gone) {
                return Ok(Exit::Done);
            }
            std::thread::park_timeout(TURN);
        }
        let agent = Agent {
            place: place.clone(),
            wards: Arc::new(guard::Projects::new(context, &state)),
            clock: Arc::new(SystemClock),
            booted: context.surroundings.booted(),
            every: Duration::from_millis(arguments.every),
            tenant: guard::tenant(context, arguments.stay),
        };
        let done = wait(async {
            let (sender, stop) = watch::channel(false);
            listen(sender);
            Ok(run(Arc::new(agent), stop).await)
        })?;
        return match done {
            Err(AgentError::Taken { .. }) if arguments.stay || arguments.wait => continue,
            Err(error @ AgentError::Taken { .. }) => Err(CommandError::new(
                with_causes(&error),
                Some("`seaworthy agent status` shows what it sees; one is enough"),
            )),
            Err(error) => Err(CommandError::new(
                with_causes(&error),
                Some("check who owns the state folder, and whether its disk is full"),
            )),
            Ok(()) => Ok(Exit::Done),
        };
    }
}

/// Ctrl-C and SIGTERM end the agent.
fn listen(sender: watch::Sender<bool>) {
    use tokio::signal::unix::{SignalKind, signal};
    tokio::spawn(async move {
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
        loop {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            sender.send_replace(true);
        }
    });
}

fn show(context: &Context, arguments: &StatusArgs) -> Result<Exit, CommandError> {
    let place = Place::new(&context.surroundings.state_folder());
    let tenant = place.tenant();
    let status = place.status().filter(|status| {
        tenant.as_ref().is_some_and(|tenant| tenant.process == status.process || tenant.process == 0)
    });
    let age = status.as_ref().map(|status| jiff::Timestamp::duration_since(guard::now(), status.looked_at));
    let late = age.is_some_and(|age| age.as_secs() > LATE.as_secs() as i64);
    let troubled = status.iter().flat_map(|status| &status.projects).any(|project| project.trouble.is_some());
    match arguments.format {
        Format::Json => {
            let told = serde_json::json!({
                "version": 1, "running": tenant.is_some(), "late": late, "status": status,
            });
            let text = serde_json::to_string_pretty(&told).unwrap_or_default();
            context.ui.data(&format!("{text}\n"));
        }
        Format::Text => {
            context.ui.data(&text(&place, tenant.is_some(), late, status.as_ref()));
        }
    }
    Ok(if tenant.is_none() || late || troubled { Exit::Findings } else { Exit::Done })
}

fn text(place: &Place, running: bool, late: bool, status: Option<&seaworthy_agent::Status>) -> String {
    if !running {
        return "No agent watches. `seaworthy deploy` starts one.\n".to_owned();
    }
    let Some(status) = status else { return "An agent watches; it has not looked yet.\n".to_owned() };
    let time = |at: jiff::Timestamp| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    let mut text = format!(
        "An agent watches since {} (process {}), and told so last at {}{}.\n",
        time(status.since),
        status.process,
        time(status.looked_at),
        if late { ": it seems stuck" } else { "" }
    );
    for project in &status.projects {
        let seen = project.trouble.as_ref().unwrap_or(&project.seen);
        text.push_str(&format!("{}: {seen}; brought back {} times", project.project, project.healings));
        if let Some(last) = &project.last {
            let how = if last.done { "it is back" } else { "it could not be brought back" };
            text.push_str(&format!("\n  {} {}: {how}", time(last.at), last.cause));
        }
        text.push('\n');
    }
    text.push_str(&format!("Its log is `{}`.\n", place.log().display()));
    text
}
