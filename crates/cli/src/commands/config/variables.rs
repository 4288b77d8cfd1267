//! `--variables`: what the files want filled in.

use seaworthy_project::{Project, VariableUse, variable_uses};
use serde_json::{Map, Value, json};

use super::{ConfigFormat, pretty};
use crate::ui::{Paint, Table};

/// The most places of one variable that the table names.
const MAX_PLACES: usize = 3;

/// The variables as a table, or as Compose prints them in YAML or JSON.
pub(super) fn text(project: &Project, format: Option<ConfigFormat>) -> String {
    let uses = variable_uses(project);
    match format {
        None => table(project, uses.iter()),
        Some(ConfigFormat::Json) => {
            let entry = |seen: &VariableUse, name: &String| {
                json!({
                    "Name": name,
                    "DefaultValue": seen.default,
                    "PresenceValue": seen.alternate,
                    "Required": seen.required,
                })
            };
            let map: Map<String, Value> =
                uses.iter().map(|(name, seen)| (name.clone(), entry(seen, name))).collect();
            pretty(&Value::Object(map))
        }
        Some(ConfigFormat::Yaml) => uses
            .iter()
            .map(|(name, seen)| {
                let quoted = |text: &str| Value::String(text.to_owned()).to_string();
                format!(
                    "{name}:\n  name: {name}\n  defaultvalue: {}\n  presencevalue: {}\n  required: {}\n",
                    quoted(&seen.default),
                    quoted(&seen.alternate),
                    seen.required
                )
            })
            .collect(),
    }
}

fn table<'a>(project: &Project, uses: impl Iterator<Item = (&'a String, &'a VariableUse)>) -> String {
    let mut table = Table::new(&["NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE", "USED AT"]);
    for (name, seen) in uses {
        let mut places: Vec<String> =
            seen.places.iter().take(MAX_PLACES).map(|span| project.sources.place(span)).collect();
        if seen.places.len() > MAX_PLACES {
            places.push(format!("and {} more", seen.places.len() - MAX_PLACES));
        }
        table.row(vec![
            name.clone(),
            seen.required.to_string(),
            seen.default.clone(),
            seen.alternate.clone(),
            places.join(", "),
        ]);
    }
    table.text(Paint::new(false))
}
