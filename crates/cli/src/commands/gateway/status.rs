//! `gateway status`: how the gateway and the instances behind it are.

use std::collections::BTreeMap;

use jiff::Timestamp;
use seaworthy_gateway::{BackendStatus, Build, Calls, Confinement, Status, SupervisorStatus, Writes};
use serde_json::json;

use crate::arguments::Format;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::ui::{Table, Tone};

use super::{client, failed};

/// Show how the gateway is, and the instances that it sends to
///
/// There is one gateway for all projects of a state folder. An instance is `well`, `sick` (it does not answer), `left out`
/// (it answers as a sick one does, and gets nothing for a while) or `drained` (by `gateway drain`).
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// Text or JSON
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(super) async fn status(context: &Context, arguments: &StatusArgs) -> Result<Exit, CommandError> {
    let client = client(context);
    let status = client.status().await.map_err(failed)?;
    // One of an older version does not tell of itself.
    let supervisor = client.supervisor().await.ok();
    let mut closed: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for project in &status.projects {
        if let Ok(Some(work)) = client.maintained(&project.project).await {
            closed.insert(&project.project, work.since);
        }
    }
    context.ui.data(&match arguments.format {
        Format::Text => text(context, &status, supervisor.as_ref(), &closed),
        Format::Json => {
            let told = json!({
                "version": 1, "gateway": status, "supervisor": supervisor, "maintenance_since": closed,
            });
            format!("{}\n", serde_json::to_string_pretty(&told).unwrap_or_default())
        }
    });
    Ok(Exit::Done)
}

fn text(
    context: &Context,
    status: &Status,
    supervisor: Option<&SupervisorStatus>,
    closed: &BTreeMap<&str, Timestamp>,
) -> String {
    let part = |name: &str, process: u32, build: Option<&Build>, since: Timestamp| {
        let version =
            build.map_or_else(|| "of an unknown version".to_owned(), |build| format!("version {build}"));
        format!("{name}: {version}, process {process} since {}\n", since.strftime("%Y-%m-%d %H:%M:%SZ"))
    };
    let mut text = part("gateway", status.process, status.build.as_ref(), status.started_at);
    if let Some(supervisor) = supervisor {
        text.push_str(&part("supervisor", supervisor.process, supervisor.build.as_ref(), supervisor.since));
    }
    if let Some(confinement) = &status.confinement {
        text.push_str(&format!("rights: {}\n", rights(confinement)));
    }
    if let Some(problem) = &status.snapshot_problem {
        text.push_str(&format!("at its start: {problem}\n"));
    }
    for problem in &status.certificate_problems {
        text.push_str(&format!("{}: {problem}\n", context.ui.out.paint(Tone::Warning, "certificate")));
    }
    for (project, since) in closed {
        let label = context.ui.out.paint(Tone::Warning, "maintenance:");
        text.push_str(&format!("{label} {project} answers its clients with 503 since {since}\n"));
    }
    let mut table = Table::new(&["PROJECT", "ROUTE", "INSTANCE", "ADDRESS", "STATE", "IN FLIGHT"]);
    for project in &status.projects {
        for backend in &project.backends {
            table.row(vec![
                project.project.clone(),
                backend.route.clone(),
                backend.id.clone(),
                backend.address.to_string(),
                state(backend).to_owned(),
                backend.in_flight.to_string(),
            ]);
        }
    }
    text.push_str(&table.text(context.ui.out));
    text
}

/// What the worker may, in words.
fn rights(confinement: &Confinement) -> String {
    let kept = match confinement.capabilities.as_slice() {
        [] => "none of root's".to_owned(),
        kept => format!("of root's {}", kept.join(", ")),
    };
    let because = confinement.because.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
    let more = if confinement.no_new_privileges { "no new ones" } else { "new ones by other programs" };
    let writes = match &confinement.writes {
        Writes::OwnFolder => "writes in its own folder alone".to_owned(),
        Writes::Anywhere(why) => format!("writes wherever its user may ({why})"),
    };
    let calls = match &confinement.calls {
        Calls::AllBut(number) => format!(", all calls of the kernel but {number}"),
        Calls::All(why) => format!(", all calls of the kernel ({why})"),
        Calls::Untold => String::new(),
    };
    format!("{kept}{because}, {more}; {writes}{calls}")
}

fn state(backend: &BackendStatus) -> &'static str {
    match (backend.set_aside, backend.well, backend.left_out) {
        (true, ..) => "drained",
        (_, false, _) => "sick",
        (_, _, true) => "left out",
        _ => "well",
    }
}
