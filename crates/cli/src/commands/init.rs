//! `init`: write what production needs beside a project, for a person to fill in and decide.

use std::path::{Path, PathBuf};

use seaworthy_audit::init::{self, Start, Started, stand_ins};
use seaworthy_audit::{Finding, Fix, overlay};
use seaworthy_project::{COMPOSE_FILE_NAMES, Detail, FileError, Files, Loaded, Project, Request, load};

use crate::audit::Auditor;
use crate::commands::harden::{Overlaid, overlay_path, read};
use crate::context::Context;
use crate::error::{CommandError, Exit, with_causes};
use crate::surroundings::{Disk, folders_in, make_folder, write_file};
use crate::ui::Tone;

/// The page about the environment, below the project's folder.
const DOCUMENT: &str = "docs/environment.md";
/// The largest manifest that is looked into.
const LARGEST_MANIFEST: u64 = 1 << 20;
/// The most decisions that are told one by one.
const MOST_TOLD: usize = 20;

/// Look at a project and write what production needs
///
/// Writes the environment's overlay (`compose.production.yaml`), a template of its variables (`.env.production.template`)
/// and a page about them (`docs/environment.md`). What can be told from the files is filled in; what only a person knows
/// stands there as a comment. Run again, it only adds: no word of yours is changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seaworthy init --dry-run     show what would be written, as diffs
  seaworthy init
  seaworthy -e staging init    compose.staging.yaml and .env.staging.template
  seaworthy -f base.yaml -f more.yaml init")]
pub(crate) struct InitArgs {
    /// Show what would be written, as diffs; change nothing
    #[arg(long)]
    dry_run: bool,
}

/// A file to be written.
struct Draft {
    path: PathBuf,
    shown: String,
    old: Option<String>,
    new: String,
}

pub(crate) fn init(context: &Context, arguments: &InitArgs) -> Result<Exit, CommandError> {
    let request = context.request()?;
    let plan = plan(context, &request)?;
    let view = View { request: &plan.request, path: &plan.overlay };
    let old = read(&plan.overlay)?;
    let loaded = view.filled(old.as_deref());
    context.warnings(&loaded);
    let project = loaded.project.ok_or_else(|| CommandError::problems(loaded.problems, loaded.sources))?;

    let template_path = project.directory.join(format!(".env.{}.template", project.environment));
    let document_path = project.directory.join(DOCUMENT);
    let (template, document) = (read(&template_path)?, read(&document_path)?);
    let review = Auditor::new(context, None, None, None)?.decided(&project, &context.globals.files)?.review;
    let start = Start {
        project: &project,
        overlay: old.as_deref(),
        template: template.as_deref(),
        document: document.as_deref(),
        reload: &|text| view.filled(Some(text)),
        plain: &|text| view.plain(Some(text)),
        manifest: &manifest,
        may: &|finding: &Finding, fix: Option<&Fix>| review.may_mend(finding, fix),
    };
    let started = init::init(&start)
        .map_err(|error| CommandError::new(with_causes(&error), Some("nothing was changed")))?;
    let shown = |path: &Path| path.strip_prefix(&project.directory).unwrap_or(path).display().to_string();
    let draft = |path: &Path, old, new: &str| Draft {
        path: path.to_owned(),
        shown: shown(path),
        old,
        new: new.to_owned(),
    };
    let drafts = [
        draft(&plan.overlay, old.clone(), &started.overlay),
        draft(&template_path, template.clone(), &started.template),
        draft(&document_path, document.clone(), &started.document),
    ];
    put(context, &drafts, arguments.dry_run)?;
    tell(context, &started, &project, &plan);
    Ok(Exit::Done)
}

/// Which files are read, and where the overlay goes.
struct Plan {
    request: Request,
    overlay: PathBuf,
    /// The flags with which the same files are read again, when the overlay is not found by its name.
    flags: Option<String>,
}

fn plan(context: &Context, request: &Request) -> Result<Plan, CommandError> {
    let named = &context.globals.files;
    let folder = &context.surroundings.folder;
    let environment = request.environment.as_str();
    if named.is_empty() {
        let view = View { request, path: Path::new("") };
        let loaded = view.filled(None);
        let Some(project) = &loaded.project else { return Err(nothing_to_begin_with(request, loaded)) };
        let overlay = overlay_path(&[], folder, project)?;
        return Ok(Plan { request: request.clone(), overlay, flags: None });
    }
    let mut files: Vec<PathBuf> = named.iter().map(|file| folder.join(file)).collect();
    let is_overlay = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !Disk.is_file(path) || name.split('.').rev().nth(1) == Some(environment)
    };
    if files.len() < 2 || !files.last().is_some_and(|last| is_overlay(last)) {
        let base = files.first().expect("somebody has named a file");
        let extension = base.extension().unwrap_or_default().to_string_lossy();
        let extension = if extension.is_empty() { "yaml".into() } else { extension };
        files.push(base.with_file_name(format!("compose.{environment}.{extension}")));
    }
    let overlay = files.last().expect("it has just been added").clone();
    let flags =
        files.iter().map(|file| format!("-f {}", file.strip_prefix(folder).unwrap_or(file).display()));
    let flags = flags.collect::<Vec<_>>().join(" ");
    if request.environment.as_str() == "development" {
        return Err(for_production());
    }
    Ok(Plan { request: Request { files, ..request.clone() }, overlay, flags: Some(flags) })
}

fn for_production() -> CommandError {
    CommandError::new(
        "`init` is for environments that are deployed",
        Some("leave `-e development` away, or name another environment"),
    )
}

/// Why there is nothing to begin with; where Compose files lie below, they are named.
fn nothing_to_begin_with(request: &Request, loaded: Loaded) -> CommandError {
    let folder = request.project_directory.as_ref().unwrap_or(&request.working_directory);
    let folder = request.working_directory.join(folder);
    let is_base = |folder: &Path| COMPOSE_FILE_NAMES.iter().any(|name| Disk.is_file(&folder.join(name)));
    if loaded.problems.len() != 1
        || folder.ancestors().any(is_base)
        || request.variables.contains_key("COMPOSE_FILE")
    {
        return CommandError::problems(loaded.problems, loaded.sources);
    }
    let below: Vec<String> = folders_in(&folder)
        .iter()
        .filter(|below| is_base(below))
        .map(|below| format!("`{}`", below.strip_prefix(&folder).unwrap_or(below).display()))
        .collect();
    let hint = if !below.is_empty() {
        format!("there is one in {}: go there, or name it with `-f`", below.join(", "))
    } else if Disk.is_file(&folder.join("Dockerfile")) {
        "write a `compose.yaml` for the Dockerfile first: services: { app: { build: ., ports: [\"8000:8000\"] } }".to_owned()
    } else {
        "write a `compose.yaml` first, or name the file with `-f`".to_owned()
    };
    let text = format!("there is no Compose file in `{}` or a folder above it", folder.display());
    CommandError::new(text, Some(&hint))
}

/// The project as it would be with an overlay.
struct View<'a> {
    request: &'a Request,
    path: &'a Path,
}

impl View<'_> {
    fn load(&self, request: &Request, text: Option<&str>) -> Loaded {
        match text {
            Some(text) => load(request, &Overlaid { path: self.path, text }),
            // A named overlay need not be there yet.
            None if request.files.iter().any(|file| file == self.path) => {
                load(request, &Overlaid { path: self.path, text: overlay::HEADER })
            }
            None => load(request, &Disk),
        }
    }

    /// Nothing filled in.
    fn plain(&self, text: Option<&str>) -> Loaded {
        let detail = Detail { interpolate: false, resolve_environment: false, ..Detail::default() };
        self.load(&Request { detail, ..self.request.clone() }, text)
    }

    /// Filled in, with stand-ins for what nobody has said yet.
    fn filled(&self, text: Option<&str>) -> Loaded {
        let mut request = self.request.clone();
        if let Some(plain) = &self.plain(text).project {
            request.variables.extend(stand_ins(plain));
        }
        self.load(&request, text)
    }
}

fn manifest(path: &Path) -> Option<String> {
    let bytes = match Disk.read(path, LARGEST_MANIFEST) {
        Ok(bytes) => bytes,
        Err(FileError::Missing | FileError::Denied | FileError::Folder) => return None,
        Err(FileError::TooLarge(_) | FileError::Other(_)) => return None,
    };
    String::from_utf8(bytes).ok()
}

/// Writes what is new, or shows it.
fn put(context: &Context, drafts: &[Draft], dry: bool) -> Result<(), CommandError> {
    for draft in drafts {
        let old = draft.old.as_deref().unwrap_or_default();
        let verb = match (&draft.old, old == draft.new, dry) {
            (_, true, _) => "needs no change",
            (None, _, true) => "would be written",
            (Some(_), _, true) => "would be added to",
            (None, _, false) => "was written",
            (Some(_), _, false) => "was added to",
        };
        if dry {
            context.ui.data(&overlay::diff(old, &draft.new, &draft.shown));
        } else if old != draft.new {
            let folder = draft.path.parent().map_or(Ok(()), make_folder);
            folder.and_then(|()| write_file(&draft.path, &draft.new)).map_err(|error| {
                let text = format!("could not write `{}`: {error}", draft.shown);
                CommandError::new(text, Some("what was said to be written before it is there; run it again"))
            })?;
        }
        context.ui.say(&format!("`{}` {verb}.", draft.shown));
    }
    Ok(())
}

/// Says what was recognised, and what is left to do.
fn tell(context: &Context, started: &Started, project: &Project, plan: &Plan) {
    let ui = &context.ui;
    if !started.recognised.is_empty() {
        let known: Vec<String> =
            started.recognised.iter().map(|(service, what)| format!("`{service}` is {what}")).collect();
        ui.say(&format!("Recognised: {}.", known.join(", ")));
    }
    let environment = project.environment.as_str();
    if !started.to_fill_in.is_empty() {
        ui.say(&ui.err.paint(Tone::Heading, "To fill in:"));
        ui.say(&format!("  {}", started.to_fill_in.join(", ")));
    }
    if !started.decisions.is_empty() {
        ui.say(&ui.err.paint(Tone::Heading, "To decide:"));
        for decision in started.decisions.iter().take(MOST_TOLD) {
            ui.say(&format!("  {}: {}", decision.key, decision.question));
        }
        let more = started.decisions.len().saturating_sub(MOST_TOLD);
        if more > 0 {
            ui.say(&format!("  and {more} more, at the end of the overlay"));
        }
    }
    let copy = format!("cp .env.{environment}.template .env.{environment} && chmod 600 .env.{environment}");
    let flags = plan.flags.as_ref().map(|flags| format!("{flags} ")).unwrap_or_default();
    let environment = if environment == "production" { String::new() } else { format!("-e {environment} ") };
    ui.hint(&format!("{copy}, fill it in, then: seaworthy {flags}{environment}check"));
}
