//! `doctor`: whether this machine and the state of the project are fit for a deploy.

use seaworthy_project::ProjectName;
use seaworthy_release::{Lock, StateFolder, Traffic};

use crate::arguments::EngineChoice;
use crate::commands::install;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::ui::Tone;

/// Look whether this machine and the project's state are fit for a deploy
#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {}

/// One thing looked at.
struct Look {
    what: &'static str,
    well: bool,
    told: String,
    hint: Option<String>,
}

pub(crate) async fn doctor(context: &Context, _arguments: &DoctorArgs) -> Result<Exit, CommandError> {
    let mut looks = vec![state_folder(context), memory_folder(context), docker(context).await];
    let (told, hint) = install::after_restart(context);
    looks.push(Look { what: "restart of the machine", well: true, told, hint });
    looks.push(match context.project() {
        Ok(project) => {
            well("compose files", format!("project `{}`, {} services", project.name, project.services.len()))
        }
        Err(error) => ill(
            "compose files",
            format!("{} problems", error.problems.len().max(1)),
            "`seaworthy check` shows them",
        ),
    });
    if let Ok(name) = context.project_name() {
        looks.extend(project(context, &name).await);
    }
    let mut sick = false;
    for look in &looks {
        sick |= !look.well;
        let mark = match look.well {
            true => context.ui.out.paint(Tone::Good, "✔ ok  "),
            false => context.ui.out.paint(Tone::Error, "✘ fail"),
        };
        let hint = look.hint.as_ref().map_or(String::new(), |hint| format!("\n           hint: {hint}."));
        context.ui.data(&format!("{mark}  {}: {}{hint}\n", look.what, look.told));
    }
    Ok(if sick { Exit::Findings } else { Exit::Done })
}

fn state_folder(context: &Context) -> Look {
    let path = context.surroundings.state_folder();
    match StateFolder::open(&path) {
        Ok(_) => well("state folder", format!("`{}` can be written and has room", path.display())),
        Err(error) => from_error("state folder", error.into()),
    }
}

fn memory_folder(context: &Context) -> Look {
    let path = context.surroundings.runtime_folder();
    let parent = path.parent().unwrap_or(&path);
    let there = parent.is_dir();
    let told = format!("secrets as files are kept in `{}`", path.display());
    if there { well("memory folder", told) } else { ill("memory folder", told, "mount a tmpfs there") }
}

/// Docker is missing only where it was asked for.
async fn docker(context: &Context) -> Look {
    let state = StateFolder::existing(context.surroundings.state_folder());
    let version = match context.docker(&state) {
        Ok(engine) => engine.version().await.map_err(CommandError::from),
        Err(error) => Err(error),
    };
    match version {
        Ok(version) => well("docker", version),
        Err(error) if context.globals.engine == EngineChoice::Docker => from_error("docker", error),
        Err(error) => well("docker", format!("not used: {error}")),
    }
}

async fn project(context: &Context, name: &ProjectName) -> Vec<Look> {
    let site = match context.site_to_look(name) {
        Ok(Some(site)) => site,
        Ok(None) => return vec![well("state", format!("`{name}` was never deployed here"))],
        Err(error) => return vec![from_error("state", error)],
    };
    let mut looks = Vec::new();
    looks.push(match site.store.unfinished() {
        Ok(None) => well("journal", "nothing is unfinished".to_owned()),
        Ok(Some(change)) => match Lock::holder(site.store.folder()) {
            Some(owner) => {
                well("journal", format!("a {} is under way (process {})", owner.command, owner.process))
            }
            None => ill(
                "journal",
                format!("a {} was cut off", change.kind),
                "the next command that changes things settles it",
            ),
        },
        Err(error) => from_error("journal", error.into()),
    });
    looks.push(match site.engine.observe(name).await {
        Ok(observed) => {
            well("engine", format!("{} answers: {} instances", site.engine.name(), observed.instances.len()))
        }
        Err(error) => from_error("engine", error.into()),
    });
    looks.push(match site.traffic.serving(name).await {
        Ok(Some(set)) => well("gateway", format!("serves {} routes of the project", set.routes.len())),
        Ok(None) => well("gateway", "serves nothing of the project".to_owned()),
        Err(error) => from_error("gateway", error.into()),
    });
    looks
}

fn well(what: &'static str, told: String) -> Look {
    Look { what, well: true, told, hint: None }
}

fn ill(what: &'static str, told: String, hint: &str) -> Look {
    Look { what, well: false, told, hint: Some(hint.to_owned()) }
}

fn from_error(what: &'static str, error: CommandError) -> Look {
    let hint = error.messages.first().and_then(|message| message.hint.clone());
    Look { what, well: false, told: error.to_string(), hint }
}
