//! The part of hardening that edits Dockerfiles and example files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use seaworthy_audit::{Finding, Level, Mended, overlay};
use seaworthy_project::{FileError, Files, Request, load};

use super::Overlaid;
use crate::context::Context;
use crate::error::CommandError;
use crate::surroundings::{Disk, write_file};
use crate::ui::Tone;

/// What is mended, and how far.
pub(super) struct Mending<'a> {
    pub(super) request: &'a Request,
    /// The overlay as it is from now on.
    pub(super) overlay: (&'a Path, Option<&'a str>),
    pub(super) level: Level,
    pub(super) dry_run: bool,
    pub(super) may: &'a dyn Fn(&Finding) -> bool,
}

/// Mends what can be mended, or shows it. `None` where the project does not load with the overlay.
pub(super) fn mend(context: &Context, mending: &Mending<'_>) -> Result<Option<Mended>, CommandError> {
    let (path, text) = mending.overlay;
    let over = text.map(|text| Overlaid { path, text });
    let below: &dyn Files = match &over {
        Some(over) => over,
        None => &Disk,
    };
    let reload = |files: &BTreeMap<PathBuf, String>| load(mending.request, &Revised { files, below });
    let Some(project) = reload(&BTreeMap::new()).project else { return Ok(None) };
    let mended = seaworthy_audit::mend(&project, &reload, mending.level, mending.may);
    for (path, new) in &mended.files {
        let shown = path.strip_prefix(&project.directory).unwrap_or(path).display().to_string();
        let old = super::read(path)?.unwrap_or_default();
        if mending.dry_run {
            context.ui.data(&overlay::diff(&old, new, &shown));
        } else {
            write_file(path, new).map_err(|error| {
                let text = format!("could not write `{shown}`: {error}");
                CommandError::new(text, Some("what was written before it stays; run it again"))
            })?;
        }
        let verb = if mending.dry_run { "would be changed" } else { "was changed" };
        context.ui.say(&context.ui.err.paint(Tone::Good, &format!("`{shown}` {verb}.")));
    }
    tell(context, &mended);
    Ok(Some(mended))
}

fn tell(context: &Context, mended: &Mended) {
    for (finding, mend) in &mended.applied {
        let breaks = mend.may_break.as_ref().map(|breaks| format!(" — {breaks}")).unwrap_or_default();
        context.ui.say(&format!("  {}{breaks}", finding.message));
    }
    for (finding, _, reason) in &mended.refused {
        context.ui.say(&format!("  not applied: {} ({reason})", finding.message));
    }
}

/// Files, some of which have another text.
struct Revised<'a> {
    files: &'a BTreeMap<PathBuf, String>,
    below: &'a dyn Files,
}

impl Files for Revised<'_> {
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
        match self.files.get(path) {
            Some(text) => Ok(text.clone().into_bytes()),
            None => self.below.read(path, limit),
        }
    }

    fn is_file(&self, path: &Path) -> bool {
        self.below.is_file(path)
    }

    fn list(&self, folder: &Path) -> Vec<PathBuf> {
        self.below.list(folder)
    }

    fn holds(&self, folder: &Path, name: &str) -> bool {
        self.below.holds(folder, name)
    }
}
