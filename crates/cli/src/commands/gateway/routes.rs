//! `gateway routes`: what the gateway answers, and how it spreads it.

use seaworthy_gateway::route::tls::Tls;
use seaworthy_gateway::route::{Route, RouteSet};
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::ui::Table;

use super::{client, failed};

/// List the routes of all projects, with what each of them is set to
#[derive(Debug, clap::Args)]
pub(crate) struct RoutesArgs {
    /// Text or JSON; JSON has all settings
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(super) async fn routes(context: &Context, arguments: &RoutesArgs) -> Result<Exit, CommandError> {
    let client = client(context);
    let mut sets: Vec<(String, RouteSet)> = Vec::new();
    for project in client.status().await.map_err(failed)?.projects {
        // Gone meanwhile is gone.
        if let Some((set, _)) = client.get(&project.project).await.map_err(failed)? {
            sets.push((project.project, set));
        }
    }
    context.ui.data(&match arguments.format {
        Format::Text => table(&sets).text(context.ui.out),
        Format::Json => {
            let projects: Vec<Value> = sets
                .iter()
                .map(|(project, set)| {
                    let mut routes = json!(set.routes);
                    hide_passwords(&mut routes);
                    json!({ "project": project, "hash": set.hash(), "routes": routes })
                })
                .collect();
            let told = json!({ "version": 1, "projects": projects });
            format!("{}\n", serde_json::to_string_pretty(&told).unwrap_or_default())
        }
    });
    Ok(Exit::Done)
}

/// Takes the hashes of passwords out: who has them can try passwords against them.
fn hide_passwords(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(hide_passwords),
        Value::Object(fields) => {
            for (name, field) in fields {
                match (name.as_str(), field.get_mut("users").and_then(Value::as_object_mut)) {
                    ("auth", Some(users)) => users.values_mut().for_each(|hash| *hash = json!("[redacted]")),
                    _ => hide_passwords(field),
                }
            }
        }
        _ => {}
    }
}

fn table(sets: &[(String, RouteSet)]) -> Table {
    let mut table = Table::new(&[
        "PROJECT",
        "ROUTE",
        "LISTEN",
        "ANSWERS",
        "PROTOCOL",
        "TLS",
        "BALANCE",
        "WAIT",
        "INSTANCES",
    ]);
    for (project, set) in sets {
        for route in &set.routes {
            table.row(vec![
                project.clone(),
                route.name.clone(),
                route.listen.to_string(),
                format!("{}{}", route.host.as_deref().unwrap_or("*"), route.path),
                word(&route.protocol),
                route.tls.as_ref().map_or_else(|| "-".to_owned(), tls),
                balance(route),
                format!("{} s", route.balancing.wait_ms as f64 / 1_000.0),
                route.backends.len().to_string(),
            ]);
        }
    }
    table
}

fn balance(route: &Route) -> String {
    let sticky = if route.sticky { ", sticky" } else { "" };
    format!("{}{sticky}", word(&route.balance))
}

/// Where the certificate comes from, and the port of HTTPS.
fn tls(tls: &Tls) -> String {
    format!("{}, port {}", tls.certificate.word(), tls.port)
}

/// The word that stands for a value in JSON.
fn word(value: &impl serde::Serialize) -> String {
    json!(value).as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_hash_of_a_password_is_shown() {
        let mut routes =
            json!([{ "name": "web", "site": { "auth": { "realm": "x", "users": { "ann": "$2y$10$h" } } } }]);
        hide_passwords(&mut routes);
        let told = routes.to_string();
        assert!(told.contains(r#""ann":"[redacted]""#) && !told.contains("$2y$"), "{told}");
    }
}
