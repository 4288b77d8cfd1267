//! What is said at the end of a command that changed things, and its exit code.

pub(crate) mod addresses;

use seaworthy_release::{Failure, Outcome, ReleaseNumber};

use crate::error::Exit;
use crate::ui::{Tone, Ui};

/// Says how it ended.
pub(crate) fn tell(ui: &Ui, project: &str, outcome: &Outcome, addresses: &[String]) -> Exit {
    match outcome {
        Outcome::Nothing { release } => {
            ui.say(&format!("{project}: nothing to do, {} is as it should be.", named(*release)));
            Exit::Done
        }
        Outcome::Declined => {
            ui.say("Nothing was changed.");
            Exit::Findings
        }
        Outcome::Done { release, failed } => {
            let served =
                if addresses.is_empty() { String::new() } else { format!(" at {}", addresses.join(", ")) };
            let text = match release {
                Some(release) => format!("{project}: release {release} serves{served}."),
                None => format!("{project} is down."),
            };
            ui.say(&ui.err.paint(Tone::Good, &text));
            if !failed.is_empty() {
                ui.warn("not all new instances got ready, as `update_config` allows; these get no requests:");
                for (instance, reason) in failed {
                    ui.insist(&format!("  {instance}: {reason}"));
                }
                ui.hint("`seaworthy deploy` tries them again.");
            }
            Exit::Done
        }
        Outcome::Paused { failure, from, to, .. } => {
            let label = ui.err.paint(Tone::Error, "paused:");
            ui.insist(&format!(
                "{label} {project}: the change failed half-way and stays as it stands, as `failure_action: pause` asks; new instances of {} stand beside those of {}.",
                named(*to),
                named(*from)
            ));
            why(ui, failure);
            ui.hint(
                "mend the cause and run `seaworthy deploy` to go on, or `seaworthy rollback` to go back.",
            );
            Exit::Findings
        }
        Outcome::RolledBack { failure, release, .. } => {
            let serves = match release {
                Some(release) => format!("all is as before: release {release} serves"),
                None => "all is as before: nothing runs".to_owned(),
            };
            let what = if failure.interrupted { "was interrupted" } else { "failed" };
            ui.insist(&format!(
                "{} {project}: the change {what}; {serves}.",
                ui.err.paint(Tone::Error, "failed:")
            ));
            why(ui, failure);
            if failure.interrupted { Exit::Interrupted } else { Exit::RolledBack }
        }
        Outcome::Broken { failure, rollback, bundle } => {
            let label = ui.err.paint(Tone::Error, "failed:");
            ui.insist(&format!("{label} {project}: the change failed, and going back failed too."));
            why(ui, failure);
            ui.insist(&format!("  going back: {rollback}"));
            ui.hint("`seaworthy status` shows what runs; mend the cause and run `seaworthy deploy` or `seaworthy rollback`.");
            if bundle.is_none() {
                ui.insist("  no failure bundle could be written");
            }
            Exit::Broken
        }
    }
}

fn why(ui: &Ui, failure: &Failure) {
    if failure.interrupted {
        return;
    }
    ui.insist(&format!("  {}", failure.reason));
    if let Some(hint) = failure.hint() {
        ui.hint(&format!("{hint}."));
    }
    // The reason may hold the last answer already.
    for (instance, seen) in failure.seen.iter().filter(|(_, seen)| !failure.reason.contains(seen.as_str())) {
        ui.insist(&format!("  {instance}: {seen}"));
    }
    if let Some(hint) = &failure.hint {
        ui.hint(hint);
    }
}

fn named(release: Option<ReleaseNumber>) -> String {
    release.map_or("nothing running".to_owned(), |release| format!("release {release}"))
}
