//! `exec`: a command beside the main process of an instance.

use seaworthy_engine::{Exec, ExecControl, ExecStreams, InstanceId, InstanceKind, InstanceState};
use seaworthy_project::Sensitive;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::context::{Context, Site};
use crate::error::{CommandError, Exit};
use crate::terminal;

/// Parts of output that may wait to be written.
const WAITING: usize = 64;

/// Run a command in a running instance
///
/// It runs with the variables, in the folder and as the user of the instance. Its exit code is passed on; 126 and 127
/// stand for a command that cannot be run or is not there. Without `--index` it is the first instance that runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seaworthy exec web sh
  seaworthy exec -T db pg_dump -U app app > dump.sql
  seaworthy exec --index 2 -u root web -- ls -l /run/secrets")]
pub(crate) struct ExecArgs {
    /// The number of the instance
    #[arg(long, value_name = "N")]
    index: Option<u32>,
    /// Give it no terminal, even if there is one
    #[arg(short = 'T', long = "no-tty")]
    no_terminal: bool,
    /// Who runs it: name or number, perhaps with a group (`user:group`)
    #[arg(short, long)]
    user: Option<String>,
    /// The folder it runs in
    #[arg(short, long, value_name = "FOLDER")]
    workdir: Option<String>,
    /// A variable for it; without a value, as it is set here
    #[arg(short = 'e', long = "env", value_name = "NAME[=VALUE]")]
    variables: Vec<String>,
    /// The service
    service: String,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(crate) async fn exec(context: &Context, arguments: &ExecArgs) -> Result<Exit, CommandError> {
    let name = context.project_name()?;
    let site = context.site_that_is(&name)?;
    let instance = instance(&site, arguments).await?;
    let raw = match arguments.no_terminal
        || !context.surroundings.stdout_is_terminal
        || site.engine.name() == "process"
    {
        true => None,
        false => terminal::Raw::take(),
    };
    let exec = Exec {
        words: arguments.command.clone(),
        user: arguments.user.clone(),
        folder: arguments.workdir.clone(),
        variables: variables(context, &arguments.variables)?,
        terminal: raw.is_some(),
    };
    let (written, mut output) = mpsc::channel(WAITING);
    let (tell, control) = mpsc::channel(WAITING);
    tokio::spawn(meanwhile(tell, exec.terminal));
    let streams = ExecStreams { input: terminal::input(), output: written, control };
    let showing = async {
        while let Some((stream, bytes)) = output.recv().await {
            if !context.ui.pass_on(stream, &bytes) {
                return;
            }
        }
    };
    let (code, ()) = tokio::join!(site.engine.exec(&name, &instance, &exec, streams), showing);
    drop(raw);
    Ok(Exit::Command(u8::try_from(code?).unwrap_or(u8::MAX)))
}

/// The instance that is meant: of the release that runs, where it has one.
async fn instance(site: &Site, arguments: &ExecArgs) -> Result<InstanceId, CommandError> {
    let observed = site.engine.observe(&site.project).await?;
    let current = site.store.current()?.map(|(release, _)| release);
    let mut known: Vec<String> = observed.instances.iter().map(|one| one.id.service.to_string()).collect();
    known.dedup();
    let runs = observed.instances.iter().filter(|one| {
        one.id.service.as_str() == arguments.service
            && one.kind == InstanceKind::Replica
            && one.state == InstanceState::Running
    });
    let mut runs: Vec<_> = runs.collect();
    runs.sort_by_key(|one| (Some(one.release) != current, one.id.slot));
    let meant = match arguments.index {
        Some(index) => runs.iter().find(|one| one.id.slot.0.get() == index),
        None => runs.first(),
    };
    let service = &arguments.service;
    meant.map(|one| one.id.clone()).ok_or_else(|| match (known.contains(service), arguments.index) {
        (true, Some(index)) => CommandError::new(
            format!("no instance {index} of service `{service}` runs"),
            Some("`seaworthy ps` lists the instances"),
        ),
        (true, None) => CommandError::new(
            format!("no instance of service `{service}` runs"),
            Some("`seaworthy ps` tells how it ended, `seaworthy logs` what it said"),
        ),
        (false, _) if known.is_empty() => CommandError::new(
            format!("nothing runs of service `{service}`"),
            Some("nothing of the project runs: `seaworthy deploy` or `seaworthy start` starts it"),
        ),
        (false, _) => {
            let hint = format!("services that run: {}", known.join(", "));
            CommandError::new(format!("nothing runs of service `{service}`"), Some(&hint))
        }
    })
}

fn variables(context: &Context, said: &[String]) -> Result<Vec<(String, Sensitive)>, CommandError> {
    let variable = |text: &String| match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok(Some((name.to_owned(), Sensitive::new(value)))),
        Some(_) => {
            Err(CommandError::new(format!("`{text}` names no variable"), Some("write `-e NAME=VALUE`")))
        }
        None => {
            let own = context.surroundings.variables.get(text);
            Ok(own.map(|value| (text.clone(), Sensitive::new(value.as_str()))))
        }
    };
    said.iter().filter_map(|text| variable(text).transpose()).collect()
}

/// Tells of signals and of a terminal that changes its size, as long as somebody listens.
async fn meanwhile(tell: mpsc::Sender<ExecControl>, terminal: bool) {
    let listen = |kind: SignalKind| signal(kind).ok();
    let (Some(mut interrupt), Some(mut terminate), Some(mut hangup), Some(mut resized)) = (
        listen(SignalKind::interrupt()),
        listen(SignalKind::terminate()),
        listen(SignalKind::hangup()),
        listen(SignalKind::window_change()),
    ) else {
        return;
    };
    loop {
        let size = terminal.then(terminal::size).flatten();
        if let Some((rows, columns)) = size
            && tell.send(ExecControl::Size { rows, columns }).await.is_err()
        {
            return;
        }
        let told = tokio::select! {
            _ = interrupt.recv() => ExecControl::Signal(nix::libc::SIGINT),
            _ = terminate.recv() => ExecControl::Signal(nix::libc::SIGTERM),
            _ = hangup.recv() => ExecControl::Signal(nix::libc::SIGHUP),
            _ = resized.recv() => continue,
        };
        if tell.send(told).await.is_err() {
            return;
        }
    }
}
