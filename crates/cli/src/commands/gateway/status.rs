//! `gateway status`: how the gateway and the instances behind it are.

use seaworthy_gateway::{BackendStatus, Status};
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
    let status = client(context).status().await.map_err(failed)?;
    context.ui.data(&match arguments.format {
        Format::Text => text(context, &status),
        Format::Json => {
            let told = json!({ "version": 1, "gateway": status });
            format!("{}\n", serde_json::to_string_pretty(&told).unwrap_or_default())
        }
    });
    Ok(Exit::Done)
}

fn text(context: &Context, status: &Status) -> String {
    let since = status.started_at.strftime("%Y-%m-%d %H:%M:%SZ");
    let mut text = format!("gateway: process {} since {since}\n", status.process);
    if let Some(problem) = &status.snapshot_problem {
        text.push_str(&format!("at its start: {problem}\n"));
    }
    for problem in &status.certificate_problems {
        text.push_str(&format!("{}: {problem}\n", context.ui.out.paint(Tone::Warning, "certificate")));
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

fn state(backend: &BackendStatus) -> &'static str {
    match (backend.set_aside, backend.well, backend.left_out) {
        (true, ..) => "drained",
        (_, false, _) => "sick",
        (_, _, true) => "left out",
        _ => "well",
    }
}
