//! The variables of a project: what each is, who uses it, and whether production must be given it.

use std::collections::BTreeMap;

use seaworthy_project::model::resource::FileResourceSource;
use seaworthy_project::{Node, Project, Span, Value, VariableUse, is_credential_name, variable_uses};

use super::Kind;
use crate::credential::{password_in_url, token_name};
use crate::environment_file::{EnvironmentFile, Role, environment_files};

/// The longest sample that is shown.
const LONGEST_SAMPLE: usize = 120;

/// Where a variable is used: the keys from the top, and the text.
type Used = (Vec<String>, String);

/// One variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it wants.
    pub kind: Kind,
    /// Whether nothing works without it.
    pub required: bool,
    /// Whether nobody else may know it.
    pub secret: bool,
    /// What counts when it is not set; never a secret.
    pub sample: Option<String>,
    /// The file of development that gives it, where one does.
    pub given_by: Option<String>,
    /// The services that use it.
    pub used_by: Vec<String>,
    /// What somebody wrote about it in a file of variables.
    pub about: Option<String>,
}

impl Variable {
    /// Whether a person has to give it a value for production.
    pub fn is_to_fill_in(&self) -> bool {
        self.secret || (self.required && self.given_by.is_none())
    }
}

/// Every variable that the files of a project use; `plain` was loaded without filling in.
pub(super) fn of(plain: &Project) -> Vec<Variable> {
    let files = environment_files(plain);
    let own = format!(".env.{}", plain.environment);
    let mut paths: BTreeMap<Span, Used> = BTreeMap::new();
    walk(&plain.node, &mut Vec::new(), &mut paths);
    let mut variables: BTreeMap<String, Variable> = BTreeMap::new();
    for (name, using) in variable_uses(plain) {
        let places: Vec<&Used> = using.places.iter().filter_map(|place| paths.get(place)).collect();
        let found = describe(&name, &using, &places, &files, &own);
        variables.insert(name, found);
    }
    for resource in plain.secrets.values().chain(plain.configs.values()) {
        let FileResourceSource::Environment(variable, _) = &resource.source else { continue };
        let (name, key) = (&variable.value, &resource.key.value);
        let secret = plain.secrets.contains_key(key);
        let using = VariableUse { required: true, ..VariableUse::default() };
        let mut found = describe(name, &using, &[], &files, &own);
        found.secret |= secret;
        found.kind = if secret { Kind::Secret } else { found.kind };
        let uses = |grants: &[seaworthy_project::Spanned<seaworthy_project::model::mount::FileGrant>]| {
            grants.iter().any(|grant| grant.value.source == *key)
        };
        let users = plain.services().filter(|service| uses(&service.secrets) || uses(&service.configs));
        found.used_by = users.map(|service| service.name.value.to_string()).collect();
        match variables.get_mut(name) {
            Some(known) => {
                known.secret |= found.secret;
                known.required = true;
                let more: Vec<String> =
                    found.used_by.into_iter().filter(|user| !known.used_by.contains(user)).collect();
                known.used_by.extend(more);
            }
            None => {
                variables.insert(name.clone(), found);
            }
        }
    }
    variables.into_values().collect()
}

fn describe(
    name: &str,
    using: &VariableUse,
    places: &[&Used],
    files: &[EnvironmentFile<'_>],
    own: &str,
) -> Variable {
    let in_files = |role: Role| {
        files
            .iter()
            .filter(move |file| file.role == role && file.name != own)
            .find_map(|file| Some((file, file.variables.iter().find(|variable| variable.name == name)?)))
    };
    let given = in_files(Role::Used);
    let told = given.or_else(|| in_files(Role::Example));
    let default = Some(using.default.as_str()).filter(|default| !default.is_empty());
    let sample =
        default.or_else(|| told.map(|(_, variable)| variable.value).filter(|value| !value.is_empty()));
    let first = places.first().map_or(&[][..], |(path, _)| path.as_slice());
    let mut kind = Kind::of(name, first, sample);
    let hides = |value: &str| token_name(value).is_some() || password_in_url(value).is_some();
    let fills_a_credential = places.iter().any(|(path, text)| {
        path.last().is_some_and(|key| is_credential_name(key)) || is_password_of_address(text, name)
    });
    let secret = kind == Kind::Secret || fills_a_credential || sample.is_some_and(hides);
    if secret {
        kind = Kind::Secret;
    }
    let fits = |value: &&str| value.len() <= LONGEST_SAMPLE && !value.contains(['$', '\n', '<']);
    let mut used_by: Vec<String> = Vec::new();
    for (path, _) in places {
        let user = match path.as_slice() {
            [services, name, ..] if services == "services" => name.clone(),
            [section, ..] => format!("`{section}`"),
            [] => continue,
        };
        if !used_by.contains(&user) {
            used_by.push(user);
        }
    }
    let about = in_files(Role::Example).and_then(|(file, one)| about(file, one.name_span.start.line));
    Variable {
        name: name.to_owned(),
        kind,
        required: using.required || (default.is_none() && using.alternate.is_empty()),
        secret,
        sample: sample.filter(|_| !secret).filter(fits).map(str::to_owned),
        given_by: given.map(|(file, _)| file.name.clone()),
        used_by,
        about: about.or_else(|| given.and_then(|(file, one)| self::about(file, one.name_span.start.line))),
    }
}

/// The comment above a line, unless it holds a value itself.
fn about(file: &EnvironmentFile<'_>, line: u32) -> Option<String> {
    let above: Vec<&str> = file.text.lines().take(line.saturating_sub(1) as usize).collect();
    let comments = above.iter().rev().map_while(|line| line.trim().strip_prefix('#')).map(str::trim);
    let mut comments: Vec<&str> = comments.filter(|text| !text.is_empty() && !text.contains('=')).collect();
    comments.reverse();
    let text = comments.join(" ");
    (!text.is_empty() && token_name(&text).is_none()).then_some(text)
}

/// Whether a variable is the password in an address: `postgres://shop:${PASSWORD}@db`.
fn is_password_of_address(text: &str, name: &str) -> bool {
    let Some(scheme) = text.find("://") else { return false };
    let braced = format!(":${{{name}");
    let plain = format!(":${name}@");
    let rest = &text[scheme + 3..];
    let ends = |at: usize| rest[at + braced.len()..].starts_with(['}', ':', '-', '?']);
    rest.contains('@') && (rest.contains(&plain) || rest.find(&braced).is_some_and(ends))
}

/// The path and the text of every scalar, by its place.
fn walk(node: &Node, path: &mut Vec<String>, paths: &mut BTreeMap<Span, Used>) {
    match &node.value {
        Value::Scalar(scalar) => {
            paths.entry(node.span).or_insert_with(|| (path.clone(), scalar.text.clone()));
        }
        Value::Sequence(items) => items.iter().for_each(|item| walk(item, path, paths)),
        Value::Mapping(entries) => {
            for entry in entries {
                path.push(entry.key.value.clone());
                walk(&entry.node, path, paths);
                path.pop();
            }
        }
        Value::Null => {}
    }
}
