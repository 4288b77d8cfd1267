//! Holds a project before a mend against the one after it: only the instruction it names may differ.

use seaworthy_project::Project;
use seaworthy_project::model::beside::DockerfileText;

use super::{Mend, written};
use crate::dockerfile::{Dockerfile, parse};
use crate::harden::changes;
use crate::{Finding, Findings};

/// Whether a mend does what it says and nothing else.
pub(super) fn holds(
    before: &Project,
    after: &Project,
    findings: &Findings,
    found: &Findings,
    finding: &Finding,
    mend: &Mend,
) -> Result<(), String> {
    let growth: isize = mend
        .edits
        .iter()
        .map(|edit| edit.text.len() as isize - (edit.span.end.byte - edit.span.start.byte) as isize)
        .sum();
    // Where the same stands twice, the second may be left for the next round; it lies further on.
    let left = found.find(&finding.identity());
    let moved = |byte: usize| byte as isize > finding.span.start.byte as isize + growth.max(0);
    if left.is_some_and(|left| !moved(left.span.start.byte)) {
        return Err(format!("`{}` would still be found with it.", finding.rule.id));
    }
    let is_new =
        |other: &&Finding| findings.find(&other.identity()).is_none_or(|old| old.severity < other.severity);
    // What speaks of the words that were changed names them anew.
    let renamed = |other: &Finding| {
        let same = |old: &&Finding| old.rule == other.rule && found.find(&old.identity()).is_none();
        findings.iter().any(|old| same(&old))
    };
    if let Some(new) = found.iter().filter(is_new).find(|other| !renamed(other)) {
        return Err(format!("it would raise `{}`.", new.rule.id));
    }
    if let Some(key) = changes::unintended(&before.node, &after.node, [].iter()) {
        return Err(format!("it would also change `{key}`."));
    }
    dockerfile(before, mend)
}

/// The instructions of a Dockerfile that no edit touches are the same afterwards.
fn dockerfile(before: &Project, mend: &Mend) -> Result<(), String> {
    let Some(first) = mend.edits.first() else { return Ok(()) };
    let file = first.span.file;
    if !before.beside.builds.values().any(|build| build.dockerfile == DockerfileText::File(file)) {
        return Ok(());
    }
    let Some(source) = before.sources.get(file) else { return Ok(()) };
    let new = written(&source.text, &mend.edits).unwrap_or_default();
    let (old_file, new_file) = (parse(file, &source.text), parse(file, &new));
    if new_file.faults.len() > old_file.faults.len() {
        return Err("the Dockerfile would have a fault with it.".to_owned());
    }
    let touched = |start: usize, end: usize| {
        mend.edits.iter().any(|edit| edit.span.start.byte <= end && edit.span.end.byte >= start)
    };
    let kept: Vec<&str> = old_file
        .instructions
        .iter()
        .filter(|one| !touched(one.span.start.byte, one.span.end.byte))
        .map(|one| text(&source.text, one.span.start.byte, one.span.end.byte))
        .collect();
    let mut rest = texts(&new_file, &new).into_iter();
    let all_there = kept.iter().all(|kept| rest.any(|other| other == *kept));
    let grown = new_file.instructions.len().saturating_sub(old_file.instructions.len());
    if all_there && grown <= 1 { Ok(()) } else { Err("another instruction would change with it.".to_owned()) }
}

fn texts<'text>(file: &Dockerfile, source: &'text str) -> Vec<&'text str> {
    file.instructions.iter().map(|one| text(source, one.span.start.byte, one.span.end.byte)).collect()
}

fn text(source: &str, start: usize, end: usize) -> &str {
    source.get(start..end).unwrap_or_default()
}
