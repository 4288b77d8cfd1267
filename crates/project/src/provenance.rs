//! Where the values of a project come from: every place that had a say, and the variables that filled it.

use crate::load::template::mentions;
use crate::write::Secrets;
use crate::{Node, Project, Say, Span, Value, is_credential_name};

/// The longest stretch of a file that is shown, in characters.
const MAX_SHOWN: usize = 72;

/// One value of a resolved project and all that had a say in it. Credentials are `[redacted]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The value's path: `services.web.deploy.replicas`, `services.web.ports[0].target`.
    pub path: String,
    /// The value, as text; `null` when there is none.
    pub value: String,
    /// Where the value that won was written, or what implies it.
    pub place: Span,
    /// What stands there, first line only.
    pub written: String,
    /// Nobody wrote it: the Compose Specification implies it for what stands at `place`.
    pub implied: bool,
    /// Places that lost, with what stands there; the nearest to winning first.
    pub lost: Vec<(Span, String)>,
    /// The variables that filled it, with the place of each; `None` is the shell.
    pub filled: Vec<(String, Option<Span>)>,
    /// Variables that are named in it and not set.
    pub unset: Vec<String>,
}

/// Nothing stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NothingThere {
    /// The part of the path under which something stands.
    pub known: String,
    /// The keys there.
    pub keys: Vec<String>,
}

/// All values at or under a path; the empty path is the whole project.
///
/// # Errors
/// When nothing stands there: how far the path leads, and which keys are there.
pub fn provenance(project: &Project, path: &str) -> Result<Vec<Provenance>, NothingThere> {
    let mut deepest = (String::new(), &project.node);
    let Some((path, node)) = find(&project.node, path, String::new(), &mut deepest) else {
        let keys = match &deepest.1.value {
            Value::Mapping(entries) => entries.iter().map(|entry| entry.key.value.clone()).collect(),
            Value::Sequence(items) => (0..items.len()).map(|index| format!("[{index}]")).collect(),
            Value::Null | Value::Scalar(_) => Vec::new(),
        };
        return Err(NothingThere { known: deepest.0, keys });
    };
    let mut found = Vec::new();
    let view = View { project, secrets: Secrets::of(project) };
    let inherited: Vec<&Say> = node.history.iter().collect();
    view.walk(node, path, &inherited, &mut found);
    Ok(found)
}

/// What stands at the end of a path whose keys may have dots themselves.
fn find<'a>(
    node: &'a Node,
    path: &str,
    at: String,
    deepest: &mut (String, &'a Node),
) -> Option<(String, &'a Node)> {
    if at.len() >= deepest.0.len() {
        *deepest = (at.clone(), node);
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    if path.is_empty() {
        return Some((at, node));
    }
    match &node.value {
        Value::Mapping(entries) => {
            let mut fitting: Vec<_> = entries
                .iter()
                .filter_map(|entry| {
                    let rest = path.strip_prefix(entry.key.value.as_str())?;
                    (rest.is_empty() || rest.starts_with(['.', '['])).then_some((entry, rest))
                })
                .collect();
            // The longest key first: `traefik.enable` before `traefik`.
            fitting.sort_by_key(|(_, rest)| rest.len());
            fitting
                .into_iter()
                .find_map(|(entry, rest)| find(&entry.node, rest, join(&at, &entry.key.value), deepest))
        }
        Value::Sequence(items) => {
            let end = path.find(['.', ']']).unwrap_or(path.len());
            let index: usize = path[..end].trim_start_matches('[').parse().ok()?;
            let rest = path[end..].strip_prefix(']').unwrap_or(&path[end..]);
            find(items.get(index)?, rest, format!("{at}[{index}]"), deepest)
        }
        Value::Null | Value::Scalar(_) => None,
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

struct View<'a> {
    project: &'a Project,
    secrets: Secrets,
}

impl View<'_> {
    fn walk(&self, node: &Node, path: String, history: &[&Say], found: &mut Vec<Provenance>) {
        match &node.value {
            Value::Mapping(entries) if !entries.is_empty() => {
                for entry in entries {
                    let history: Vec<&Say> = entry.node.history.iter().collect();
                    self.walk(&entry.node, join(&path, &entry.key.value), &history, found);
                }
            }
            Value::Sequence(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    let history: Vec<&Say> = item.history.iter().collect();
                    self.walk(item, format!("{path}[{index}]"), &history, found);
                }
            }
            _ => found.push(self.leaf(node, path, history)),
        }
    }

    fn leaf(&self, node: &Node, path: String, history: &[&Say]) -> Provenance {
        let written = |span: &Span| self.project.sources.text(span).unwrap_or_default();
        let mut lost = Vec::new();
        let mut filled: Vec<(String, Option<Span>)> = Vec::new();
        let mut unset: Vec<String> = Vec::new();
        for say in history.iter().rev() {
            match say {
                Say::Written(span) if *span != node.span => lost.push(*span),
                Say::Variable { name, place } if filled.iter().all(|(other, _)| other != name) => {
                    filled.push((name.clone(), *place));
                }
                Say::Unset(name) => unset.push(name.clone()),
                Say::Written(_) | Say::Variable { .. } | Say::Implied => {}
            }
        }
        let here = written(&node.span);
        unset.sort();
        unset.dedup();
        let key = path.rsplit(['.', '[']).next().unwrap_or_default();
        let mut named = filled.iter().map(|(name, _)| name).chain(&unset);
        let secret = is_credential_name(key) || named.any(|name| is_credential_name(name));
        // A template gives nothing away but its defaults.
        let plain = mentions(here);
        let plain = !plain.is_empty() && plain.iter().all(|mention| mention.default.is_empty());
        let shown = |text: &str| match secret && !text.is_empty() {
            true => Secrets::REDACTED.to_owned(),
            false => shorten(&self.secrets.hide(text)),
        };
        Provenance {
            value: match &node.value {
                Value::Scalar(scalar) => shown(&scalar.text),
                Value::Sequence(_) => "[]".to_owned(),
                Value::Mapping(_) => "{}".to_owned(),
                Value::Null => "null".to_owned(),
            },
            place: node.span,
            written: if secret && !plain { shown(here) } else { shorten(&self.secrets.hide(here)) },
            implied: history.contains(&&Say::Implied),
            lost: lost.into_iter().map(|span| (span, shown(written(&span)))).collect(),
            filled,
            unset,
            path,
        }
    }
}

/// The first line, cut where it is long.
fn shorten(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let cut = line.chars().count() > MAX_SHOWN || line.len() < text.trim().len();
    let kept: String = line.chars().take(MAX_SHOWN).collect();
    if cut { format!("{kept}…") } else { kept }
}
