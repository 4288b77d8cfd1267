//! `install` and `uninstall`: whether the gateway and the agent come back with the machine.

use std::path::{Path, PathBuf};

use seaworthy_agent::Place;

use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::guard;
use crate::surroundings::{make_folder, remove_file, write_file};
use crate::units::{NAMES, units};

/// Let the gateway and the agent start with the machine, so that everything comes back after a restart of it
///
/// Writes two systemd units and enables them. Where systemd does not run, nothing is written, and the line to give to
/// something else that starts programs is printed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seaworthy install              as root, for the whole machine
  seaworthy install --user       for this user's own systemd
  seaworthy install --dry-run    show the units")]
pub(crate) struct InstallArgs {
    /// For this user's own systemd instead of the whole machine's
    #[arg(long)]
    user: bool,
    /// Print the units and write nothing
    #[arg(long, conflicts_with = "into")]
    dry_run: bool,
    /// Write the units to this folder and enable nothing
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

/// Take away what `install` wrote; what runs goes on without being started again with the machine
#[derive(Debug, clap::Args)]
pub(crate) struct UninstallArgs {
    /// For this user's own systemd instead of the whole machine's
    #[arg(long)]
    user: bool,
    /// Say what would be taken away
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn install(context: &Context, arguments: &InstallArgs) -> Result<Exit, CommandError> {
    let state = context.surroundings.state_folder();
    let program = &context.surroundings.program;
    for path in [&state, program] {
        if path.to_string_lossy().contains(['\n', '\r']) {
            return Err(CommandError::new(
                format!("`{}` has a line break in its name", path.display()),
                Some("units cannot name such a path: rename it"),
            ));
        }
    }
    let units = units(program, &state, arguments.user);
    if arguments.dry_run {
        for unit in &units {
            context.ui.data(&format!(
                "# {}\n{}\n",
                folder(context, arguments.user)?.join(unit.name).display(),
                unit.text
            ));
        }
        return Ok(Exit::Done);
    }
    if arguments.into.is_none() && !context.surroundings.has_systemd() {
        return Ok(without_systemd(context, program, &state));
    }
    let folder = match &arguments.into {
        Some(folder) => context.surroundings.folder.join(folder),
        None => folder(context, arguments.user)?,
    };
    for unit in &units {
        let path = folder.join(unit.name);
        let written = make_folder(&folder).and_then(|()| write_file(&path, &unit.text));
        written.map_err(|error| could_not(format!("write `{}`: {error}", path.display())))?;
        context.ui.say(&format!("wrote {}", path.display()));
    }
    if arguments.into.is_some() {
        return Ok(Exit::Done);
    }
    systemctl(context, arguments.user, &["daemon-reload"])?;
    systemctl(context, arguments.user, &[&["enable", "--now"], &NAMES[..]].concat())?;
    // The unit waits for its turn: the agent that a command started leaves it to it.
    let place = Place::new(&state);
    if let Some(tenant) = place.tenant().filter(|tenant| !tenant.stays) {
        guard::end(&place, &tenant).await;
    }
    context.ui.say("The gateway and the agent start with the machine.");
    if arguments.user {
        context.ui.hint("`loginctl enable-linger` lets them start before you log in.");
    }
    Ok(Exit::Done)
}

pub(crate) fn uninstall(context: &Context, arguments: &UninstallArgs) -> Result<Exit, CommandError> {
    let folder = folder(context, arguments.user)?;
    let there: Vec<PathBuf> =
        NAMES.iter().map(|name| folder.join(name)).filter(|path| path.is_file()).collect();
    if there.is_empty() {
        context.ui.say(&format!("No unit of Seaworthy is in `{}`: nothing was changed.", folder.display()));
        return Ok(Exit::Done);
    }
    if arguments.dry_run {
        for path in &there {
            context.ui.data(&format!("{}\n", path.display()));
        }
        return Ok(Exit::Done);
    }
    // Not stopped: requests go on being served, by what then belongs to nobody until the machine is restarted.
    if context.surroundings.has_systemd() {
        systemctl(context, arguments.user, &[&["disable"], &NAMES[..]].concat())?;
    }
    for path in &there {
        remove_file(path).map_err(|error| could_not(format!("remove `{}`: {error}", path.display())))?;
        context.ui.say(&format!("removed {}", path.display()));
    }
    if context.surroundings.has_systemd() {
        systemctl(context, arguments.user, &["daemon-reload"])?;
    }
    context.ui.say("What runs goes on; a restart of the machine does not bring it back any more.");
    Ok(Exit::Done)
}

/// Whether a restart of the machine would bring everything back, as a sentence; and what to do if not.
pub(crate) fn after_restart(context: &Context) -> (String, Option<String>) {
    let state = context.surroundings.state_folder();
    for user in [false, true] {
        let Ok(folder) = folder(context, user) else { continue };
        let agent = folder.join(NAMES[1]);
        let wanted = if user { "default.target.wants" } else { "multi-user.target.wants" };
        let names_it = context
            .surroundings
            .text_of(&agent)
            .is_some_and(|text| units(&context.surroundings.program, &state, user)[1].text == text);
        if names_it && folder.join(wanted).join(NAMES[1]).exists() {
            return ("everything comes back: the units are enabled".to_owned(), None);
        }
        if agent.is_file() {
            let told =
                format!("`{}` is not enabled, or is for another program or state folder", agent.display());
            return (told, Some("run `seaworthy install` again".to_owned()));
        }
    }
    let told = "nothing is known to start the gateway and the agent with the machine".to_owned();
    (told, Some("`seaworthy install` does; it also tells what to do without systemd".to_owned()))
}

/// What to do where something else starts programs.
fn without_systemd(context: &Context, program: &Path, state: &Path) -> Exit {
    let word = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', "'\\''"));
    context.ui.insist("systemd does not run here: nothing was installed.");
    context
        .ui
        .insist("Let what starts programs with this machine run this line, for example by `crontab -e`:");
    context.ui.data(&format!(
        "@reboot {} agent run --stay --detached --state {}\n",
        word(program),
        word(state)
    ));
    context.ui.hint("the agent starts all else: the gateway, and every instance that should run.");
    Exit::Findings
}

fn folder(context: &Context, user: bool) -> Result<PathBuf, CommandError> {
    if !user {
        return Ok(PathBuf::from("/etc/systemd/system"));
    }
    let home = || Some(Path::new(context.surroundings.variable("HOME")?).join(".config"));
    let configuration = context.surroundings.variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home);
    let none = || CommandError::new("neither `HOME` nor `XDG_CONFIG_HOME` is set", Some("set `HOME`"));
    Ok(configuration.ok_or_else(none)?.join("systemd/user"))
}

fn systemctl(context: &Context, user: bool, words: &[&str]) -> Result<(), CommandError> {
    let scope: &[&str] = if user { &["--user"] } else { &[] };
    let words = [scope, words].concat();
    context
        .surroundings
        .systemctl(&words)
        .map_err(|reason| could_not(format!("run `systemctl {}`: {reason}", words.join(" "))))
}

fn could_not(what: String) -> CommandError {
    CommandError::new(format!("could not {what}"), Some("run it as root, or with `--user` for yourself"))
}
