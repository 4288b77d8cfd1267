//! Values that stand in for variables nobody has filled in yet, so that a project can be looked at. They are never written.

use std::collections::BTreeMap;

use seaworthy_project::model::resource::FileResourceSource;
use seaworthy_project::{Project, is_credential_name, variable_uses};

/// Where a number is wanted.
const NUMBER: &str = "8080";
/// Where anything is wanted: a word that no rule takes for a weak credential and every reference to an image takes.
const WORD: &str = "stand-in-kz8qn2vw1t";

/// Values for what `plain`, a project loaded without filling in, uses and nothing sets.
pub fn stand_ins(plain: &Project) -> Vec<(String, String)> {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for (name, using) in variable_uses(plain) {
        let secret_default = !using.default.is_empty() && is_credential_name(&name);
        if plain.variables.contains_key(&name) || (!using.default.is_empty() && !secret_default) {
            continue;
        }
        let number = name.ends_with("PORT") || name.ends_with("REPLICAS") || name.ends_with("ID");
        values.insert(name, if number { NUMBER } else { WORD }.to_owned());
    }
    for secret in plain.secrets.values().chain(plain.configs.values()) {
        if let FileResourceSource::Environment(variable, _) = &secret.source
            && !plain.variables.contains_key(&variable.value)
        {
            values.insert(variable.value.clone(), WORD.to_owned());
        }
    }
    values.into_iter().collect()
}
