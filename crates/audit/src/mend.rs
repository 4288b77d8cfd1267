//! Mending: surgical edits of Dockerfiles and example files, each proven by reading the project again.

mod proof;
mod write;

use std::collections::BTreeMap;
use std::path::PathBuf;

use seaworthy_project::model::beside::DockerfileText;
use seaworthy_project::{FileId, Loaded, Project, Span};

use crate::{Finding, Findings, Level, check};

pub(crate) use write::{append_command, as_list, insert_line, label, old_variable};

/// The most edits of one run.
const MOST_EDITS: usize = 500;

/// Edits of one file beside the project that settle a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mend {
    /// How sure one can be that nothing else changes.
    pub level: Level,
    /// What it writes: stretches of one file, in order.
    pub edits: Vec<TextEdit>,
    /// What may stop working, as a sentence; `None` for what cannot break anything.
    pub may_break: Option<String>,
}

/// A stretch of a file and what stands there afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// The stretch; empty for an insertion.
    pub span: Span,
    /// The new text.
    pub text: String,
}

impl Mend {
    /// A mend of one stretch.
    pub(crate) fn new(level: Level, edit: TextEdit) -> Self {
        Self { level, edits: vec![edit], may_break: None }
    }

    /// Says what may stop working.
    pub(crate) fn may_break(mut self, sentence: impl Into<String>) -> Self {
        self.may_break = Some(sentence.into());
        self
    }
}

impl TextEdit {
    /// Other text in that place.
    pub(crate) fn replace(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }

    /// More text behind that place.
    pub(crate) fn after(span: Span, text: impl Into<String>) -> Self {
        Self { span: Span { start: span.end, ..span }, text: text.into() }
    }
}

/// What mending made of the files.
#[derive(Debug, Clone, PartialEq)]
pub struct Mended {
    /// The files that are to change, absolute, as they should be.
    pub files: BTreeMap<PathBuf, String>,
    /// What was settled, in the order it was done.
    pub applied: Vec<(Finding, Mend)>,
    /// What could not be done, and why; its findings stay.
    pub refused: Vec<(Finding, Mend, String)>,
    /// What is left for a person, worst first.
    pub by_hand: Vec<Finding>,
}

/// Makes every mend up to `level`. `reload` loads the project with those files in place of what is on disk.
/// A mend is dropped after which the project does not load, the finding stays, or anything else changes.
pub fn mend(
    project: &Project,
    reload: &dyn Fn(&BTreeMap<PathBuf, String>) -> Loaded,
    level: Level,
    may: &dyn Fn(&Finding) -> bool,
) -> Mended {
    let (applied, refused, by_hand) = (Vec::new(), Vec::new(), Vec::new());
    let mut mended = Mended { files: BTreeMap::new(), applied, refused, by_hand };
    let mut project = project.clone();
    let mut findings = check(&project);
    for _ in 0..MOST_EDITS {
        let Some((finding, mend)) = next(&project, &findings, level, &mended, may) else { break };
        match attempt(&project, &findings, &finding, &mend, &mended.files, reload) {
            Ok((files, after, found)) => {
                (mended.files, project, findings) = (files, after, found);
                mended.applied.push((finding, mend));
            }
            Err(reason) => mended.refused.push((finding, mend, reason)),
        }
    }
    mended.refused.retain(|(finding, ..)| findings.find(&finding.identity()).is_some());
    mended.by_hand = findings.iter().filter(|finding| may(finding)).cloned().collect();
    mended
}

/// The next mend that nobody has tried yet.
fn next(
    project: &Project,
    findings: &Findings,
    level: Level,
    so_far: &Mended,
    may: &dyn Fn(&Finding) -> bool,
) -> Option<(Finding, Mend)> {
    let tried =
        |finding: &Finding| so_far.refused.iter().any(|(other, ..)| other.identity() == finding.identity());
    findings.iter().filter(|finding| may(finding) && !tried(finding)).find_map(|finding| {
        let mend = finding.mends.iter().find(|mend| {
            mend.level <= level && mend.edits.iter().all(|edit| is_mendable(project, edit.span.file))
        })?;
        Some((finding.clone(), mend.clone()))
    })
}

/// Whether a file is a Dockerfile of its own or a file of variables.
fn is_mendable(project: &Project, file: FileId) -> bool {
    let mut dockerfiles = project.beside.builds.values();
    dockerfiles.any(|build| build.dockerfile == DockerfileText::File(file))
        || project.beside.environment.contains(&file)
}

type Attempt = (BTreeMap<PathBuf, String>, Project, Findings);

fn attempt(
    project: &Project,
    findings: &Findings,
    finding: &Finding,
    mend: &Mend,
    files: &BTreeMap<PathBuf, String>,
    reload: &dyn Fn(&BTreeMap<PathBuf, String>) -> Loaded,
) -> Result<Attempt, String> {
    let file = mend.edits.first().ok_or("it says nothing.")?.span.file;
    let source = project.sources.get(file).ok_or("its file is gone.")?;
    let new = written(&source.text, &mend.edits).ok_or("its places are not those of the file.")?;
    let mut files = files.clone();
    files.insert(project.directory.join(&source.path), new.clone());
    let loaded = reload(&files);
    let Some(after) = loaded.project else {
        let problem =
            loaded.problems.first().map_or("it does not say why", |problem| problem.message.as_str());
        return Err(format!("the project would not load with it: {}.", problem.trim_end_matches('.')));
    };
    let found = check(&after);
    proof::holds(project, &after, findings, &found, finding, mend)?;
    Ok((files, after, found))
}

/// The text with the edits made; `None` where a place does not fit.
fn written(text: &str, edits: &[TextEdit]) -> Option<String> {
    let mut new = String::new();
    let mut at = 0;
    for edit in edits {
        new.push_str(text.get(at..edit.span.start.byte)?);
        new.push_str(&edit.text);
        at = edit.span.end.byte;
    }
    new.push_str(text.get(at..)?);
    Some(new)
}
