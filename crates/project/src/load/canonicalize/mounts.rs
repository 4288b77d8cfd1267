//! `volumes` of a service: the short form `[SOURCE:]TARGET[:OPTIONS]` to the long form.

use std::path::Path;

use crate::load::canonicalize::{forms::entry, is_reset};
use crate::load::read::absolute;
use crate::load::report::Report;
use crate::{Node, Problem, ProblemKind, Value};

/// What a short form means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ShortMount<'a> {
    pub(crate) source: Option<&'a str>,
    pub(crate) target: &'a str,
    pub(crate) options: Vec<&'a str>,
}

/// Makes each short form a map with `type`, `source`, `target`.
pub(super) fn canonicalize(node: &mut Node, report: &mut Report) {
    let Value::Sequence(items) = &mut node.value else { return };
    for item in items.iter_mut().filter(|item| !is_reset(item)) {
        let Value::Scalar(scalar) = &item.value else {
            if let Some(Value::Scalar(target)) = item.get_mut("target").map(|target| &mut target.value) {
                target.text = clean(&target.text);
            }
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
    let mut nested = Vec::new();
    if bind {
        nested.push(entry("create_host_path", flag()));
    }
    for option in &short.options {
        match *option {
            "ro" => entries.push(entry("read_only", flag())),
            "nocopy" if !bind => nested.push(entry("nocopy", flag())),
            "z" | "Z" if bind => nested.push(entry("selinux", text(option))),
            "shared" | "rshared" | "slave" | "rslave" | "private" | "rprivate" if bind => {
                nested.push(entry("propagation", text(option)));
            }
            // Others, such as `cached`, meant something to old versions only.
            _ => {}
        }
    }
    entries.push(entry(if bind { "bind" } else { "volume" }, Node::new(Value::Mapping(nested), item.span)));
    Value::Mapping(entries)
}

/// Reads a short form; `None` when it is none.
pub(crate) fn parse(text: &str) -> Option<ShortMount<'_>> {
    let parts = split(text);
    let (source, target, options) = match parts.as_slice() {
        [target] => (None, *target, ""),
        [source, target] => (Some(*source), *target, ""),
        [source, target, options] => (Some(*source), *target, *options),
        _ => return None,
    };
    if target.is_empty() || source == Some("") {
        return None;
    }
    let options = options.split(',').filter(|option| !option.is_empty()).collect();
    Some(ShortMount { source, target, options })
}

/// Splits at `:`, but not after a Windows drive letter.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (index, _) in text.match_indices(':') {
        let part = &text[start..index];
        let drive = part.len() == 1
            && part.chars().all(|c| c.is_ascii_alphabetic())
            && text[index + 1..].starts_with(['\\', '/'])
            && (text[index + 1..].starts_with('\\') || text[index + 1..].contains(":/"));
        if !drive {
            parts.push(part);
            start = index + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

/// A path inside without doubled or final slashes.
fn clean(target: &str) -> String {
    if !target.starts_with('/') {
        return target.to_owned();
    }
    absolute(Path::new("/"), Path::new(target)).display().to_string()
}

/// Whether a source is a path of the host, and not the name of a volume.
pub(crate) fn is_path(source: &str) -> bool {
    let drive = source.get(1..3).is_some_and(|rest| rest == ":\\" || rest == ":/");
    source.starts_with(['.', '/', '~', '\\']) || drive
}
