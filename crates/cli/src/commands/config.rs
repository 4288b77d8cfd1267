//! `config`: the resolved project.

use clap::ValueEnum;
use seaworthy_project::{Project, write_json, write_json_redacted, write_yaml};

use crate::context::Context;
use crate::error::{CommandError, Exit};

/// Print the resolved project
///
/// Values of credentials are shown as `[redacted]`, except with `-e development`, where the output is what
/// `docker compose config` prints.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  seaworthy config\n  seaworthy -e development config --format json\n  seaworthy config --services"
)]
pub(crate) struct ConfigArgs {
    /// YAML or JSON
    #[arg(long, value_enum, default_value = "yaml")]
    format: ConfigFormat,
    /// Print the names of the services only
    #[arg(long, group = "list")]
    services: bool,
    /// Print the images only
    #[arg(long, group = "list")]
    images: bool,
    /// Print the names of the volumes only
    #[arg(long, group = "list")]
    volumes: bool,
    /// Print the names of the networks only
    #[arg(long, group = "list")]
    networks: bool,
    /// Print the names of the profiles only
    #[arg(long, group = "list")]
    profiles: bool,
    /// Only check, print nothing
    #[arg(short, long, group = "list")]
    quiet: bool,
    /// Show values of credentials in every environment
    #[arg(long)]
    show_secrets: bool,
}

/// YAML or JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ConfigFormat {
    Yaml,
    Json,
}

pub(crate) fn config(context: &Context, arguments: &ConfigArgs) -> Result<Exit, CommandError> {
    let project = context.project()?;
    if arguments.quiet {
        return Ok(Exit::Done);
    }
    let redact = !arguments.show_secrets && project.environment.as_str() != "development";
    let text = match names(&project, arguments) {
        Some(names) => names.iter().map(|name| format!("{name}\n")).collect(),
        None => match (arguments.format, redact) {
            (ConfigFormat::Yaml, redact) => write_yaml(&project, redact),
            (ConfigFormat::Json, true) => json(&write_json_redacted(&project)),
            (ConfigFormat::Json, false) => json(&write_json(&project)),
        },
    };
    context.ui.data(&text);
    Ok(Exit::Done)
}

/// The names that a list flag asks for.
fn names(project: &Project, arguments: &ConfigArgs) -> Option<Vec<String>> {
    let mut names: Vec<String> = if arguments.services {
        project.services.keys().map(ToString::to_string).collect()
    } else if arguments.images {
        project
            .services()
            .filter_map(|service| service.image.as_ref().map(|image| image.value.clone()))
            .collect()
    } else if arguments.volumes {
        project.volumes.keys().cloned().collect()
    } else if arguments.networks {
        project.networks.keys().cloned().collect()
    } else if arguments.profiles {
        let profiles = project.node.get("services").into_iter().flat_map(|services| services.entries());
        let profiles = profiles
            .flat_map(|entry| entry.node.get("profiles").map(|node| node.items()).unwrap_or_default());
        profiles.filter_map(|profile| profile.text().map(str::to_owned)).collect()
    } else {
        return None;
    };
    names.sort();
    names.dedup();
    Some(names)
}

fn json(value: &serde_json::Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(value).unwrap_or_default())
}
