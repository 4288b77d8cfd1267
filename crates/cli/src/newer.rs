//! Says when the gateway that runs is another program than this one, as after an update of Seaworthy.

use std::time::Duration;

use seaworthy_gateway::{Build, Client};

use crate::arguments::Command;
use crate::context::Context;

/// How long the gateway may take to say what it is; it is only asked by the way.
const LOOK: Duration = Duration::from_secs(1);

/// Whether a command has to do with the gateway, so that it matters which one runs.
pub(crate) fn concerns(command: &Command) -> bool {
    matches!(
        command,
        Command::Plan(_)
            | Command::Deploy(_)
            | Command::Status(_)
            | Command::Rollback(_)
            | Command::Scale(_)
            | Command::Restart(_)
            | Command::Stop(_)
            | Command::Start(_)
            | Command::Maintenance(_)
            | Command::Down(_)
            | Command::Doctor(_)
    )
}

/// Looks, and warns. Nothing is changed.
pub(crate) async fn tell(context: &Context) {
    if context.globals.quiet {
        return;
    }
    let Ok(own) = Build::own() else { return };
    let Some(status) = Client::new(context.surroundings.state_folder()).glance(LOOK).await else { return };
    // One that does not tell is older than the first that does.
    let theirs = match status.build {
        Some(build) if build == own => return,
        Some(build) if build.version == own.version => format!("another build of version {build}"),
        Some(build) => format!("version {build}, this is {own}"),
        None => format!("an older version than this, which is {own}"),
    };
    context.ui.warn(&format!("the gateway that runs is {theirs}"));
    context.ui.hint("`seaworthy gateway upgrade` has it go on as this program; no request fails for it.");
}
