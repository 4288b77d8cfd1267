//! `verify`: what really runs, held against what was promised.

use seaworthy_audit::{PROMISES, Severity};
use seaworthy_gateway::Maintenance;
use seaworthy_project::{Node, Project, ServiceName, Span};
use seaworthy_release::Operator;
use seaworthy_release::verify::{Broken, Promise, Verification};
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::context::{Context, Site};
use crate::error::{CommandError, Exit};
use crate::ui::{Steps, Tone};

/// Hold what really runs against what was promised
///
/// Reads back from the engine, the kernel and the gateway whether every promise of the running release holds: users,
/// read-only roots (tried), capabilities, limits, mounts, secrets, ports, routes, health. Changes nothing. Ends with 1
/// when a promise is broken, and with 2 when none is but not everything could be seen.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  seaworthy verify\n  seaworthy verify --format json\n  seaworthy explain other-user"
)]
pub(crate) struct VerifyArgs {
    /// Text or JSON
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) async fn verify(context: &Context, arguments: &VerifyArgs) -> Result<Exit, CommandError> {
    let name = context.project_name()?;
    let site = context.site_that_is(&name)?;
    let steps = Steps::new(&context.ui);
    let seen = site.operator(&steps).verify().await?;
    let project = context.project_for_places();
    let closed = site.traffic.client().maintained(name.as_str()).await.ok().flatten();
    context.ui.data(&match arguments.format {
        Format::Text => text(context, &site, &seen, project.as_ref(), closed.as_ref()),
        Format::Json => json_text(&site, &seen, project.as_ref(), closed.as_ref()),
    });
    Ok(match (seen.broken.is_empty(), seen.unseen.is_empty()) {
        (false, _) => Exit::Findings,
        (true, false) => Exit::CouldNotRun,
        (true, true) => Exit::Done,
    })
}

/// After a change: broken promises as warnings.
pub(crate) async fn warn(context: &Context, operator: &Operator<'_>, project: Option<&Project>) {
    match operator.verify().await {
        Ok(seen) => {
            for broken in &seen.broken {
                context.ui.warn(&format!(
                    "{}[{}] {}",
                    place(project, &broken.service, &broken.key),
                    broken.rule.id(),
                    told(broken)
                ));
            }
            let unseen = seen.unseen.len();
            if unseen > 0 {
                context.ui.warn(&format!(
                    "{unseen} promises could not be looked at; `seaworthy verify` tells which."
                ));
            }
        }
        Err(error) => {
            let error = CommandError::from(error);
            context.ui.warn(&format!("what runs could not be verified: {error}."));
        }
    }
}

fn severity(rule: Promise) -> Severity {
    PROMISES.iter().find(|page| page.id == rule.id()).map_or(Severity::High, |page| page.severity)
}

fn told(broken: &Broken) -> String {
    let who = broken.instance.as_deref().unwrap_or(broken.service.as_str());
    format!("{who}: promised {}; seen: {}.", broken.promised, broken.seen)
}

/// Where the files say it now: `compose.yaml:7:5: `, or nothing.
fn place(project: Option<&Project>, service: &ServiceName, key: &str) -> String {
    let found = project.and_then(|project| Some((project, span(project, service, key)?)));
    found.map_or(String::new(), |(project, span)| format!("{}: ", project.sources.place(&span)))
}

fn span(project: &Project, service: &ServiceName, key: &str) -> Option<Span> {
    let entry = project.services.get(service)?;
    let path = key.strip_prefix(&format!("services.{service}")).unwrap_or_default();
    let mut node: &Node = &entry.node;
    let mut span = entry.name.span;
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let Some(next) = node.get(part) else { break };
        (node, span) = (next, next.span);
    }
    Some(span)
}

fn text(
    context: &Context,
    site: &Site,
    seen: &Verification,
    project: Option<&Project>,
    closed: Option<&Maintenance>,
) -> String {
    let paint = context.ui.out;
    let Some(release) = seen.release else {
        return format!("{}: nothing runs, so nothing is promised.\n", site.project);
    };
    let mut text = String::new();
    let mut broken: Vec<&Broken> = seen.broken.iter().collect();
    broken.sort_by_key(|broken| std::cmp::Reverse(severity(broken.rule)));
    for broken in broken {
        let label = paint.paint(Tone::Error, &format!("{}[{}]", severity(broken.rule), broken.rule.id()));
        let place = place(project, &broken.service, &broken.key);
        text.push_str(&format!("{label} {place}{}\n  {}\n", broken.key, told(broken)));
    }
    for unseen in &seen.unseen {
        let label = paint.paint(Tone::Warning, &format!("not seen[{}]", unseen.rule.id()));
        let who = unseen.instance.as_deref().unwrap_or(unseen.service.as_str());
        text.push_str(&format!("{label} {}\n  {who}: {}.\n", unseen.key, unseen.why));
    }
    if !seen.not_carried.is_empty() && context.ui.verbose {
        text.push_str(&format!(
            "not carried by engine {}: {}\n",
            site.engine.name(),
            seen.not_carried.join(", ")
        ));
    }
    if !seen.credentials_in_variables.is_empty() {
        let of = |(service, names): (&ServiceName, &Vec<String>)| format!("{service} ({})", names.join(", "));
        let given: Vec<String> = seen.credentials_in_variables.iter().map(of).collect();
        text.push_str(&format!(
            "note: credentials come as variables, which whoever may inspect a container reads: {}\n",
            given.join(", ")
        ));
    }
    if let Some(closed) = closed {
        let label = paint.paint(Tone::Warning, "maintenance:");
        let since = closed.since;
        text.push_str(&format!(
            "{label} clients are answered with 503 since {since}; `seaworthy maintenance off` ends it.\n"
        ));
    }
    text.push_str(&format!(
        "{}: release {release} on engine {}: {} promises kept, {} broken, {} not seen.\n",
        site.project,
        site.engine.name(),
        seen.kept,
        seen.broken.len(),
        seen.unseen.len()
    ));
    if let Some(first) = seen.broken.first() {
        text.push_str(&format!("Next: `seaworthy explain {}` says why it matters.\n", first.rule.id()));
    }
    text
}

fn json_text(
    site: &Site,
    seen: &Verification,
    project: Option<&Project>,
    closed: Option<&Maintenance>,
) -> String {
    let place = |service: &ServiceName, key: &str| -> Value {
        let found = project.and_then(|project| Some((project, span(project, service, key)?)));
        found.map_or(Value::Null, |(project, span)| {
            let path = project.sources.get(span.file).map(|source| source.path.display().to_string());
            json!({ "path": path, "line": span.start.line, "column": span.start.column })
        })
    };
    let broken: Vec<Value> = seen
        .broken
        .iter()
        .map(|broken| {
            let mut told = json!(broken);
            told["severity"] = json!(severity(broken.rule).as_str());
            told["place"] = place(&broken.service, &broken.key);
            told
        })
        .collect();
    let told = json!({
        "version": 1, "project": site.project.as_str(), "engine": site.engine.name(), "release": seen.release,
        "kept": seen.kept, "broken": broken, "unseen": seen.unseen, "not_carried": seen.not_carried,
        "credentials_in_variables": seen.credentials_in_variables,
        "maintenance_since": closed.map(|closed| closed.since.to_string()),
    });
    format!("{}\n", serde_json::to_string_pretty(&told).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_promise_has_a_page_and_every_page_a_promise() {
        let mut looked_at: Vec<&str> = Promise::ALL.iter().map(|promise| promise.id()).collect();
        let mut explained: Vec<&str> = PROMISES.iter().map(|page| page.id).collect();
        looked_at.sort_unstable();
        explained.sort_unstable();
        assert_eq!(looked_at, explained);
        assert!(
            explained
                .iter()
                .all(|id| seaworthy_audit::explain(id).is_some_and(|page| page.contains("## Why")))
        );
    }
}
