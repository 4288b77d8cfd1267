//! `volumes` of a service: the short form `[SOURCE:]TARGET[:OPTIONS]` to the long form.

use std::path::Path;

use crate::load::canonicalize::{forms, forms::entry, is_reset};
use crate::load::read::absolute;
use crate::load::report::Report;
use crate::{Entry, Node, Problem, ProblemKind, Value};

/// What a short form means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ShortMount<'a> {
    pub(crate) source: Option<&'a str>,
    pub(crate) target: &'a str,
    pub(crate) options: Vec<&'a str>,
    /// Too short to be anything else than a path inside.
    pub(crate) bare: bool,
}

/// Makes each short form a map with `type`, `source`, `target`.
pub(super) fn canonicalize(node: &mut Node, report: &mut Report) {
    let Value::Sequence(items) = &mut node.value else { return };
    for item in items.iter_mut().filter(|item| !is_reset(item)) {
        let Value::Scalar(scalar) = &item.value else {
            let labels = item.get_mut("volume").and_then(|volume| volume.get_mut("labels"));
            labels.into_iter().for_each(forms::list_to_texts);
            continue;
        };
        if report.templates_stay && scalar.text.contains('$') {
            continue;
        }
        match parse(&scalar.text) {
            Some(short) => item.value = long(&short, item),
            None => report.problem(
                Problem::at(
                    ProblemKind::InvalidValue,
                    item.span,
                    format!("`{}` is not a mount.", scalar.text),
                )
                .hint("write `data:/var/lib/data`, `./folder:/inside:ro` or the long form with `type:`"),
            ),
        }
    }
}

fn long(short: &ShortMount<'_>, item: &Node) -> Value {
    let text = |text: &str| Node { history: item.history.clone(), ..Node::string(text, item.span) };
    let flag = || Node::plain("true", item.span);
    let bind = short.source.is_some_and(is_path);
    let mut entries = vec![entry("type", text(if bind { "bind" } else { "volume" }))];
    entries.extend(short.source.map(|source| entry("source", text(source))));
    entries.push(entry("target", text(&clean(short.target))));
    let (mut of_bind, mut of_volume) = (Vec::new(), Vec::new());
    let mut read_only = false;
    for option in &short.options {
        match *option {
            "ro" => read_only = true,
            "rw" => read_only = false,
            "nocopy" => of_volume = vec![entry("nocopy", flag())],
            "z" | "Z" => replace(&mut of_bind, entry("selinux", text(option))),
            "shared" | "rshared" | "slave" | "rslave" | "private" | "rprivate" => {
                replace(&mut of_bind, entry("propagation", text(option)));
            }
            // Others, such as `cached`, meant something to old versions only.
            _ => {}
        }
    }
    if bind {
        of_bind.push(entry("create_host_path", flag()));
    }
    entries.extend(read_only.then(|| entry("read_only", flag())));
    for (key, options, always) in [("bind", of_bind, bind), ("volume", of_volume, !bind && !short.bare)] {
        if always || !options.is_empty() {
            entries.push(entry(key, Node::new(Value::Mapping(options), item.span)));
        }
    }
    Value::Mapping(entries)
}

/// Adds an option, in place of an earlier one of the same sort.
fn replace(options: &mut Vec<Entry>, option: Entry) {
    options.retain(|other| other.key.value != option.key.value);
    options.push(option);
}

/// Reads a short form; `None` when it is none.
pub(crate) fn parse(text: &str) -> Option<ShortMount<'_>> {
    if text.is_empty() {
        return None;
    }
    // One or two characters are a path inside, whatever they are.
    if text.len() <= 2 {
        return Some(ShortMount { source: None, target: text, options: Vec::new(), bare: true });
    }
    let parts = split(text);
    if parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    let (source, target, options) = match parts.as_slice() {
        [target] => (None, *target, ""),
        [source, target] => (Some(*source), *target, ""),
        [source, target, options] => (Some(*source), *target, *options),
        _ => return None,
    };
    let options = options.split(',').filter(|option| !option.is_empty()).collect();
    Some(ShortMount { source, target, options, bare: false })
}

/// Splits at `:`, but not after a single letter, which Compose takes for a drive of Windows.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (index, _) in text.match_indices(':') {
        let part = &text[start..index];
        let mut letters = part.chars();
        let drive = letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
        if !drive {
            parts.push(part);
            start = index + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Makes the targets of long forms as clean as those of short ones; until all files are merged they are compared as they
/// are written.
pub(crate) fn clean_targets(node: &mut Node) {
    for item in node.children_mut() {
        if let Some(Value::Scalar(target)) = item.get_mut("target").map(|target| &mut target.value) {
            target.text = clean(&target.text);
        }
    }
}

/// A path inside without doubled or final slashes.
fn clean(target: &str) -> String {
    let rooted = absolute(Path::new("/"), Path::new(target)).display().to_string();
    match (target.starts_with('/'), rooted.trim_start_matches('/')) {
        (true, _) => rooted,
        (false, "") => ".".to_owned(),
        // Above its own start a relative path leads nowhere that could be told here.
        (false, _) if target.split('/').any(|part| part == "..") => target.to_owned(),
        (false, clean) => clean.to_owned(),
    }
}

/// Whether a source is a path of the host, and not the name of a volume.
pub(crate) fn is_path(source: &str) -> bool {
    let drive = source.get(1..3).is_some_and(|rest| rest == ":\\" || rest == ":/");
    source.starts_with(['.', '/', '~', '\\']) || drive
}
