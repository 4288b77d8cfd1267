//! `config`: the resolved project, what it names, and where its values come from.

mod explain;
mod lists;
mod variables;

use std::mem::ManuallyDrop;
use std::path::PathBuf;

use clap::ValueEnum;
use seaworthy_project::{Detail, Project, Show, show_json, show_variables, show_yaml};
use seaworthy_release::StateFolder;

use crate::commands::wait;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::surroundings::write_file;

/// Print the resolved project
///
/// With `-e development` the output is what `docker compose config` prints. In every other environment values of
/// credentials are shown as `[redacted]`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seaworthy config
  seaworthy -e development config --format json
  seaworthy config --services
  seaworthy config --explain services.web.deploy.replicas
  seaworthy config --variables                               what must be filled in, and where it is used")]
pub(crate) struct ConfigArgs {
    /// Services to print, with those they need; all when none is named
    services_named: Vec<String>,
    /// YAML or JSON; `--variables` prints a table unless told otherwise
    #[arg(long, value_enum)]
    format: Option<ConfigFormat>,
    /// Print each place that had a say in the value at PATH, which won, and the variables that filled it
    #[arg(long, value_name = "PATH", group = "list")]
    explain: Option<String>,
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
    /// Print the models only
    #[arg(long, group = "list")]
    models: bool,
    /// Print the names of the profiles only
    #[arg(long, group = "list")]
    profiles: bool,
    /// Print the variables that the files use, their defaults, and where they are used
    #[arg(long, group = "list")]
    variables: bool,
    /// Print the variables that fill the files
    #[arg(long, group = "list")]
    environment: bool,
    /// Print the configuration hash of these services, separated by commas; `*` for all
    #[arg(long, value_name = "SERVICES", group = "list")]
    hash: Option<String>,
    /// Only check, print nothing
    #[arg(short, long, group = "list")]
    quiet: bool,
    /// Leave variables as they are written
    #[arg(long)]
    no_interpolate: bool,
    /// Leave out what Compose implies: the default network, names of resources
    #[arg(long)]
    no_normalize: bool,
    /// Leave relative paths as they are written
    #[arg(long)]
    no_path_resolution: bool,
    /// Leave `env_file` as it is written
    #[arg(long)]
    no_env_resolution: bool,
    /// Do not check that the parts agree
    #[arg(long)]
    no_consistency: bool,
    /// Pin each image to the digest that its registry has for it, asked through the Docker Engine
    #[arg(long)]
    resolve_image_digests: bool,
    /// Write to FILE
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show values of credentials in every environment
    #[arg(long)]
    show_secrets: bool,
}

/// YAML or JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ConfigFormat {
    /// For people, and for Compose
    Yaml,
    /// For programs
    Json,
}

pub(crate) fn config(context: &Context, arguments: &ConfigArgs) -> Result<Exit, CommandError> {
    let mut project = selected(context.project_to(detail(arguments))?, &arguments.services_named)?;
    if arguments.resolve_image_digests {
        project = pinned(context, project)?;
    }
    // The program ends after this, and the system takes back at once what would be given back piece by piece.
    let project = ManuallyDrop::new(project);
    let redact = !arguments.show_secrets && project.environment.as_str() != "development";
    let Some(text) = text(&project, arguments, redact)? else { return Ok(Exit::Done) };
    match &arguments.output {
        None => {
            context.ui.data(&text);
        }
        Some(path) => {
            let path = context.surroundings.folder.join(path);
            write_file(&path, &text).map_err(|error| {
                let hint = "name a file in a folder that you may write to";
                CommandError::new(format!("`{}` cannot be written: {error}", path.display()), Some(hint))
            })?;
        }
    }
    Ok(Exit::Done)
}

/// What is to be printed; nothing when the command only checks.
fn text(project: &Project, arguments: &ConfigArgs, redact: bool) -> Result<Option<String>, CommandError> {
    let json = arguments.format == Some(ConfigFormat::Json);
    if arguments.quiet {
        return Ok(None);
    }
    if let Some(path) = &arguments.explain {
        return explain::text(project, path, json).map(Some);
    }
    if let Some(services) = &arguments.hash {
        return lists::hashes(project, services).map(Some);
    }
    if arguments.variables {
        return Ok(Some(variables::text(project, arguments.format)));
    }
    if arguments.environment {
        let lines = show_variables(project, redact).into_iter();
        return Ok(Some(lines.map(|(name, value)| format!("{name}={value}\n")).collect()));
    }
    if let Some(names) = lists::names(project, arguments) {
        return Ok(Some(names.iter().map(|name| format!("{name}\n")).collect()));
    }
    let show = Show { redact, escape_dollars: !arguments.no_interpolate };
    Ok(Some(match json {
        true => pretty(&show_json(project, show)),
        false => show_yaml(project, show),
    }))
}

fn detail(arguments: &ConfigArgs) -> Detail {
    // Names alone need no environment files; Compose's hash is that of a service before they are read.
    let names = arguments.services
        || arguments.images
        || arguments.volumes
        || arguments.networks
        || arguments.models
        || arguments.profiles
        || arguments.variables
        || arguments.hash.is_some();
    Detail {
        interpolate: !arguments.no_interpolate && !arguments.variables,
        normalize: !arguments.no_normalize,
        resolve_paths: !arguments.no_path_resolution,
        resolve_environment: !arguments.no_env_resolution && !names,
        // A template says nothing yet about what it will refer to.
        check_consistency: !arguments.no_consistency && !arguments.variables && !arguments.no_interpolate,
    }
}

fn selected(project: Project, services: &[String]) -> Result<Project, CommandError> {
    if services.is_empty() {
        return Ok(project);
    }
    project.select(services).map_err(|unknown| lists::unknown_services(&unknown, &project))
}

/// The project with every image pinned to the digest that its registry has for it.
fn pinned(context: &Context, mut project: Project) -> Result<Project, CommandError> {
    let engine = context.docker(&StateFolder::existing(context.surroundings.state_folder()))?;
    let images: Vec<_> = project
        .services()
        .filter_map(|service| Some((service.clone(), service.image.as_ref()?.value.clone())))
        .collect();
    wait(async move {
        for (service, image) in images {
            let pinned = engine.pinned(&service, &image).await;
            let pinned = pinned.map_err(|error| CommandError::from(error).with_sources(&project.sources))?;
            project = project.with_image(&service.name.value, &pinned);
        }
        Ok(project)
    })
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(value).unwrap_or_default())
}
