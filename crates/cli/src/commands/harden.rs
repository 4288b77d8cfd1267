//! `harden`: apply the fixes of what `check` finds to the overlay.

mod mending;
mod pin;
mod proof_keys;
mod proof_report;
mod prove;

use std::path::{Path, PathBuf};

use seaworthy_audit::{Finding, Fix, Hardened, Level, overlay};
use seaworthy_project::{FileError, Files, Loaded, Project, load};

use self::mending::Mending;
use crate::arguments::Format;
use crate::audit::Auditor;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::surroundings::{Disk, write_file};
use crate::ui::Tone;

/// Apply the fixes of what `check` finds to the environment's overlay, Dockerfiles and example files
///
/// Edits text, and nothing else than what each fix says: comments and formatting stay, a second run changes nothing.
/// What only a person can decide is listed.
///
/// With `--pin` only digests are written, behind the tags that stand there. Ends with 1 when an image could not be pinned,
/// and says why.
///
/// With `--prove` each service is run on Docker, in an isolated project that is thrown away, with ever fewer rights: what
/// it stays healthy with is written, with what was seen as comments. Nothing else is fixed then. Ends with 1 when a
/// service could not be tried.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  seaworthy harden --dry-run   show the diff\n  seaworthy harden\n  seaworthy harden --safe      only what changes no behaviour\n  seaworthy harden --all       fixes that change behaviour, too\n  seaworthy harden --pin       images by digest, as their registries have them now\n  seaworthy harden --prove     the fewest rights with which each service stays healthy\n  seaworthy harden --prove cache --exercise 'cache=redis-cli set key 1'"
)]
pub(crate) struct HardenArgs {
    /// Show what would change, as a diff; change nothing
    #[arg(long)]
    dry_run: bool,
    /// Apply fixes that change how a service behaves, too
    #[arg(long)]
    all: bool,
    /// Apply only fixes after which every service behaves as before
    #[arg(long, conflicts_with_all = ["all", "prove"])]
    safe: bool,
    /// Run each service with fewer and fewer rights, and write those that it stays healthy with
    #[arg(long, conflicts_with = "all")]
    prove: bool,
    /// Write the digest that its registry has now behind the tag of each image, asked through the Docker Engine
    #[arg(long, conflicts_with_all = ["all", "safe", "prove"])]
    pin: bool,
    /// A command, run by the shell inside, that a service must pass while it is tried; over `x-seaworthy.prove`
    #[arg(long, value_name = "SERVICE=COMMAND", requires = "prove")]
    exercise: Vec<String>,
    /// Text or JSON, for `--prove`
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The services to prove; all when none is named
    #[arg(value_name = "SERVICE", requires = "prove")]
    services: Vec<String>,
    /// Whether a check follows that tells what is left.
    #[arg(skip)]
    before_check: bool,
}

impl HardenArgs {
    /// Only what changes no behaviour, for a check that follows.
    pub(crate) fn before_check() -> Self {
        Self {
            dry_run: false,
            all: false,
            safe: true,
            prove: false,
            pin: false,
            exercise: Vec::new(),
            format: Format::Text,
            services: Vec::new(),
            before_check: true,
        }
    }

    fn level(&self) -> Level {
        match (self.all, self.safe) {
            (true, _) => Level::BehaviourChanging,
            (_, true) => Level::Safe,
            _ => Level::NeedsImageKnowledge,
        }
    }
}

pub(crate) fn harden(context: &Context, arguments: &HardenArgs) -> Result<Exit, CommandError> {
    if arguments.prove {
        return super::wait(prove::prove(context, arguments));
    }
    if arguments.pin {
        return pin::pin(context, arguments);
    }
    let project = context.project()?;
    let path = overlay_path(&context.globals.files, &context.surroundings.folder, &project)?;
    let old = read(&path)?;
    let level = arguments.level();
    let request = context.request()?;
    let reload = |text: &str| -> Loaded { load(&request, &Overlaid { path: &path, text }) };
    // What people have waived stays as they decided.
    let review = Auditor::new(context, None, None, None)?.decided(&project, &context.globals.files)?.review;
    let may = |finding: &Finding, fix: Option<&Fix>| review.may_mend(finding, fix);
    let hardened = seaworthy_audit::harden_where(&project, old.as_deref(), &reload, level, &may);
    let shown = path.strip_prefix(&project.directory).unwrap_or(&path).display().to_string();
    let new = hardened.text.clone().unwrap_or_default();
    let changed = new != old.clone().unwrap_or_default();
    if arguments.dry_run {
        context.ui.data(&overlay::diff(old.as_deref().unwrap_or_default(), &new, &shown));
    } else if changed {
        write_file(&path, &new).map_err(|error| {
            CommandError::new(format!("could not write `{shown}`: {error}"), Some("nothing was changed"))
        })?;
    }
    tell(context, &hardened, &shown, changed, arguments);
    let mended = mending::mend(
        context,
        &Mending {
            request: &request,
            overlay: (&path, hardened.text.as_deref()),
            level,
            dry_run: arguments.dry_run,
            may: &|finding: &Finding| review.may_mend(finding, None),
        },
    )?;
    if !arguments.before_check {
        tell_rest(context, &mended.map_or(hardened.by_hand, |mended| mended.by_hand), arguments);
    }
    Ok(Exit::Done)
}

/// Says what was done to the overlay.
fn tell(context: &Context, hardened: &Hardened, path: &str, changed: bool, arguments: &HardenArgs) {
    let ui = &context.ui;
    match (changed, arguments.dry_run) {
        (false, _) => ui.say(&format!("`{path}` needs no change.")),
        (true, true) => ui.say(&format!("{} fixes would be written to `{path}`.", hardened.applied.len())),
        (true, false) => {
            let text = format!("{} fixes were written to `{path}`.", hardened.applied.len());
            ui.say(&ui.err.paint(Tone::Good, &text));
        }
    }
    for refused in &hardened.refused {
        ui.say(&format!("  not applied: {} ({})", refused.finding.message, refused.reason));
    }
}

/// Says what is left.
fn tell_rest(context: &Context, by_hand: &[Finding], arguments: &HardenArgs) {
    let ui = &context.ui;
    if by_hand.is_empty() {
        return;
    }
    ui.say(&format!("{} findings are for a person to decide:", by_hand.len()));
    for finding in by_hand {
        ui.say(&format!("  {:<8} {} — {}", finding.severity.as_str(), finding.message, finding.help));
        for line in finding.snippet.iter().flat_map(|snippet| snippet.lines()) {
            ui.say(&format!("             {line}"));
        }
    }
    let level = arguments.level();
    let further = |finding: &&Finding| {
        let mut levels =
            finding.fixes.iter().map(|fix| fix.level).chain(finding.mends.iter().map(|mend| mend.level));
        levels.any(|other| other > level)
    };
    match (by_hand.iter().filter(further).count(), level) {
        (0, _) | (_, Level::BehaviourChanging) => {}
        (_, Level::Safe) => ui.hint("`seaworthy harden` without `--safe` goes further."),
        (_, Level::NeedsImageKnowledge) => ui.hint(
            "`seaworthy harden --all` applies those with a ready fix that changes how a service behaves.",
        ),
    }
}

/// The overlay that fixes are written to: the one that is used, else a new one beside the Compose file.
pub(crate) fn overlay_path(
    files: &[PathBuf],
    folder: &Path,
    project: &Project,
) -> Result<PathBuf, CommandError> {
    if project.environment.as_str() == "development" {
        return Err(CommandError::new(
            "hardening is for environments that are deployed",
            Some("leave `-e development` away, or name another environment"),
        ));
    }
    match files {
        [] => {}
        [_] => {
            return Err(CommandError::new(
                "with one `-f` there is no overlay to write to",
                Some("name the overlay with a second `-f`, or leave `-f` away"),
            ));
        }
        [.., last] => return Ok(folder.join(last)),
    }
    let environment = project.environment.as_str();
    let used = project.sources.iter().map(|(_, source)| project.directory.join(&source.path));
    let mut used: Vec<PathBuf> = used.filter(|path| is_yaml(path)).collect();
    let base = used.first().cloned().unwrap_or_else(|| project.directory.join("compose.yaml"));
    let overlay = used
        .drain(..)
        .skip(1)
        .find(|path| middle(path).is_some_and(|middle| environment.starts_with(middle)));
    Ok(overlay.unwrap_or_else(|| {
        let stem = base.file_stem().unwrap_or_default().to_string_lossy();
        let extension = base.extension().unwrap_or_default().to_string_lossy();
        base.with_file_name(format!("{stem}.{environment}.{extension}"))
    }))
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// `production` of `compose.production.yaml`.
fn middle(path: &Path) -> Option<&str> {
    let (start, middle) = path.file_stem()?.to_str()?.split_once('.')?;
    (start == "compose" || start == "docker-compose").then_some(middle)
}

/// The text of a file that need not be there.
pub(crate) fn read(path: &Path) -> Result<Option<String>, CommandError> {
    const LARGEST: u64 = 8 << 20;
    let unreadable =
        |reason: String| CommandError::new(format!("could not read `{}`: {reason}", path.display()), None);
    match Disk.read(path, LARGEST) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| unreadable("it is not text".to_owned())),
        Err(FileError::Missing) => Ok(None),
        Err(error) => Err(unreadable(error.to_string())),
    }
}

/// The files of this machine, but for one whose text is tried.
pub(crate) struct Overlaid<'a> {
    pub(crate) path: &'a Path,
    pub(crate) text: &'a str,
}

impl Files for Overlaid<'_> {
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
        if path == self.path { Ok(self.text.as_bytes().to_vec()) } else { Disk.read(path, limit) }
    }

    fn is_file(&self, path: &Path) -> bool {
        path == self.path || Disk.is_file(path)
    }

    fn list(&self, folder: &Path) -> Vec<PathBuf> {
        let mut names = Disk.list(folder);
        let name = self.path.file_name().map(PathBuf::from);
        if let (Some(name), Some(parent)) = (name, self.path.parent())
            && parent == folder
            && !names.contains(&name)
        {
            names.push(name);
            names.sort();
        }
        names
    }
}
