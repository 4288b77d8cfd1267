//! Takes credentials out of what people get to see.

use serde_json::{Map, Value as Json};

use crate::load::typed::CAPTURED_VALUE;
use crate::write::json::{self, drop_captured, value};
use crate::{
    Node, Project, Say, ScalarStyle, Value, credentials_in_text, credentials_in_words, is_credential_name,
};

/// What stands in place of a secret.
const REDACTED: &str = "[redacted]";
/// A shorter value would be found by chance in texts that have nothing to do with it.
const MIN_FOUND_ELSEWHERE: usize = 6;

/// The project without what variables named like credentials filled in, however short it is and wherever it stands, and
/// without their defaults.
pub(super) fn veil(project: &Project) -> Project {
    let mut veiled = project.clone();
    veil_node(&mut veiled.node, project);
    veiled
}

fn veil_node(node: &mut Node, project: &Project) {
    let history = std::mem::take(&mut node.history);
    // One word of a command in which another word was filled in.
    let literal = |text: &str| project.sources.text(&node.span).is_some_and(|written| written.contains(text));
    let literal = node.text().is_some_and(literal);
    if let Value::Scalar(scalar) = &mut node.value {
        for say in &history {
            match say {
                Say::Variable { name, .. } if is_credential_name(name) => {
                    let value = project.variables.get(name).map(|value| value.reveal().to_owned());
                    match value.filter(|value| !value.is_empty() && scalar.text.contains(value)) {
                        Some(value) => scalar.text = scalar.text.replace(&value, REDACTED),
                        None if scalar.text.is_empty() || scalar.text.contains(REDACTED) || literal => {}
                        None => REDACTED.clone_into(&mut scalar.text),
                    }
                    scalar.style = ScalarStyle::Quoted;
                }
                Say::Unset(name) if is_credential_name(name) && !scalar.text.is_empty() => {
                    REDACTED.clone_into(&mut scalar.text);
                    scalar.style = ScalarStyle::Quoted;
                }
                _ => {}
            }
        }
    }
    node.history = history;
    node.children_mut().for_each(|child| veil_node(child, project));
}

/// The variables a project was loaded with, sorted; with `redact`, without values of credentials.
pub fn show_variables(project: &Project, redact: bool) -> Vec<(String, String)> {
    let secrets = Secrets::of(project);
    let granted: Vec<&str> = project
        .secrets
        .values()
        .filter_map(|secret| secret.node.get("environment").and_then(Node::text))
        .collect();
    let shown = |name: &str, value: &str| match redact {
        true if is_credential_name(name) || granted.contains(&name) => REDACTED.to_owned(),
        true => secrets.hide(value),
        false => value.to_owned(),
    };
    let mut variables: Vec<(String, String)> =
        project.variables.iter().map(|(name, value)| (name.clone(), shown(name, value.reveal()))).collect();
    variables.sort();
    variables
}

/// The values that must not be shown.
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// What stands in place of a secret.
    pub(crate) const REDACTED: &'static str = REDACTED;

    /// The secrets of a project.
    pub(crate) fn of(project: &Project) -> Self {
        let mut root = value(project);
        let named = project.variables.iter().filter(|(name, _)| is_credential_name(name));
        let mut secrets = Self::take_all(&mut root);
        secrets.0.extend(named.map(|(_, value)| value.reveal().to_owned()));
        secrets.settle();
        secrets
    }

    /// Takes the credentials in variables, build arguments, command lines and secrets out of a tree.
    fn take_all(root: &mut Json) -> Self {
        let mut secrets = Vec::new();
        for service in section(root, "services") {
            for path in ["/environment", "/build/args"] {
                let variables = service.pointer_mut(path).and_then(Json::as_object_mut);
                variables.into_iter().for_each(|variables| credentials(variables, &mut secrets));
            }
            commands(service, &mut secrets);
        }
        for secret in section(root, "secrets") {
            for key in ["content", CAPTURED_VALUE] {
                secret.get_mut(key).into_iter().for_each(|content| take(content, &mut secrets));
            }
        }
        let mut secrets = Self(secrets);
        secrets.settle();
        secrets
    }

    /// The secrets that a project which is shown would show.
    pub(super) fn shown(project: &Project) -> Self {
        let mut secrets = Self::take_all(&mut json::without_services(project));
        let named = project.variables.iter().filter(|(name, _)| is_credential_name(name));
        secrets.0.extend(named.map(|(_, value)| value.reveal().to_owned()));
        for service in json::services(project) {
            secrets.0.append(&mut Self::take_all(&mut json::service(service)).0);
        }
        secrets.settle();
        secrets
    }

    /// Redacts credentials in variables, build arguments, command lines and secrets, and wherever else the same values stand.
    pub(super) fn redact(&self, root: &mut Json) {
        Self::take_all(root);
        drop_captured(root);
        everywhere(root, self);
    }

    fn settle(&mut self) {
        self.0.retain(|secret| secret.len() >= MIN_FOUND_ELSEWHERE && secret != REDACTED);
        // The longest first, so that a secret that contains another goes as a whole.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        self.0.dedup();
    }

    /// The text without any of them, and without passwords in URLs.
    pub(crate) fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), REDACTED);
            }
        }
        without_url_password(&text).unwrap_or(text)
    }
}

fn section<'a>(root: &'a mut Json, key: &str) -> impl Iterator<Item = &'a mut Json> {
    root.get_mut(key).and_then(Json::as_object_mut).into_iter().flat_map(Map::values_mut)
}

fn credentials(variables: &mut Map<String, Json>, secrets: &mut Vec<String>) {
    for (name, value) in variables {
        if is_credential_name(name) && value.as_str().is_some_and(|value| !value.is_empty()) {
            take(value, secrets);
        }
    }
}

/// What a service starts, what asks whether it is well, and what it is told to run without an engine.
const COMMANDS: [&[&str]; 3] =
    [&["/entrypoint", "/command"], &["/healthcheck/test"], &["/x-seaworthy/process/command"]];

/// Takes the credentials that are written into command lines out of a service.
fn commands(service: &mut Json, secrets: &mut Vec<String>) {
    for paths in COMMANDS {
        let words: Vec<String> = paths.iter().flat_map(|path| words(service.pointer(path))).collect();
        let found = credentials_in_words(words.iter().map(String::as_str));
        let mut at = 0;
        for path in paths {
            let Some(node) = service.pointer_mut(path) else { continue };
            let texts: Vec<&mut String> = match node {
                Json::String(text) => vec![text],
                Json::Array(items) => items.iter_mut().filter_map(text_of).collect(),
                _ => Vec::new(),
            };
            for text in texts {
                // From the end on, so that places before stay what they are.
                for (_, range) in found.iter().rev().filter(|(word, _)| *word == at) {
                    if text.get(range.clone()).is_some_and(|secret| secret != REDACTED) {
                        secrets.push(text[range.clone()].to_owned());
                        text.replace_range(range.clone(), REDACTED);
                    }
                }
                at += 1;
            }
        }
    }
}

fn words(node: Option<&Json>) -> Vec<String> {
    match node {
        Some(Json::String(text)) => vec![text.clone()],
        Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn text_of(node: &mut Json) -> Option<&mut String> {
    match node {
        Json::String(text) => Some(text),
        _ => None,
    }
}

fn take(value: &mut Json, secrets: &mut Vec<String>) {
    if let Json::String(secret) = std::mem::replace(value, Json::String(REDACTED.to_owned())) {
        secrets.push(secret);
    }
}

fn everywhere(value: &mut Json, secrets: &Secrets) {
    match value {
        Json::String(text) => *text = secrets.hide(text),
        Json::Array(items) => items.iter_mut().for_each(|item| everywhere(item, secrets)),
        Json::Object(map) => map.values_mut().for_each(|value| everywhere(value, secrets)),
        _ => {}
    }
}

/// A text without the credentials that can be told from it alone: in a URL, and behind what names one.
pub(crate) fn without_credentials(text: &str) -> String {
    let mut shown = text.to_owned();
    let mut found = credentials_in_text(text);
    // From the end on, so that places before stay what they are.
    found.sort_by_key(|range| std::cmp::Reverse(range.start));
    found.into_iter().for_each(|range| shown.replace_range(range, REDACTED));
    without_url_password(&shown).unwrap_or(shown)
}

/// `scheme://user:password@host` without the password (RFC 3986, section 3.2.1); `None` when there is none.
fn without_url_password(text: &str) -> Option<String> {
    let start = text.find("://")? + 3;
    let authority = text[start..].split(['/', '?', '#', ' ']).next()?;
    let (user_info, _) = authority.rsplit_once('@')?;
    let (user, password) = user_info.split_once(':').filter(|(_, password)| !password.is_empty())?;
    let (from, to) = (start + user.len() + 1, start + user.len() + 1 + password.len());
    Some(format!("{}{REDACTED}{}", &text[..from], &text[to..]))
}
