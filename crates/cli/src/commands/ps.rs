//! `ps`: the instances.

use jiff::{SpanRound, Timestamp, Unit};
use seaworthy_engine::{Instance, InstanceKind, InstanceState};
use seaworthy_release::{Clock, SystemClock};
use serde_json::json;

use crate::arguments::Format;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::ui::Table;

/// List the instances
#[derive(Debug, clap::Args)]
pub(crate) struct PsArgs {
    /// Only these services
    services: Vec<String>,
    /// Text or JSON
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) async fn ps(context: &Context, arguments: &PsArgs) -> Result<Exit, CommandError> {
    let name = context.project_name()?;
    let site = context.site_that_is(&name)?;
    let observed = site.engine.observe(&name).await?;
    let wished = |instance: &&Instance| {
        arguments.services.is_empty()
            || arguments.services.iter().any(|service| service == instance.id.service.as_str())
    };
    let instances: Vec<&Instance> = observed.instances.iter().filter(wished).collect();
    let now = SystemClock.now();
    context.ui.data(&match arguments.format {
        Format::Text => table(&instances, now).text(context.ui.out),
        Format::Json => {
            let told = json!({ "version": 1, "project": name.as_str(), "taken_at": observed.taken_at, "instances": instances });
            format!("{}\n", serde_json::to_string_pretty(&told).unwrap_or_default())
        }
    });
    Ok(Exit::Done)
}

fn table(instances: &[&Instance], now: Timestamp) -> Table {
    let mut table =
        Table::new(&["INSTANCE", "RELEASE", "STATE", "SINCE", "RESTARTS", "PID", "ADDRESS", "LIMITS"]);
    for instance in instances {
        let address = instance.addresses.iter().map(|(port, address)| format!("{port} → {address}"));
        table.row(vec![
            instance.id.to_string(),
            instance.release.to_string(),
            state(instance),
            instance.started_at.map_or("-".to_owned(), |since| ago(since, now)),
            instance.restarts.to_string(),
            instance.process.map_or("-".to_owned(), |process| process.to_string()),
            address.collect::<Vec<_>>().join(", "),
            instance.limits.clone(),
        ]);
    }
    table
}

fn state(instance: &Instance) -> String {
    let exit = instance.exit.map_or(String::new(), |exit| format!(" (exit code {})", exit.code));
    match (instance.state, instance.kind) {
        (InstanceState::Created, _) => "created".to_owned(),
        (InstanceState::Running, _) => "running".to_owned(),
        (InstanceState::Waiting, _) => format!("waiting to be started again{exit}"),
        (InstanceState::Exited, InstanceKind::Job) if instance.exit.is_some_and(|exit| exit.success()) => {
            "done".to_owned()
        }
        (InstanceState::Exited, _) => format!("ended{exit}"),
        (InstanceState::Lost, _) => "lost".to_owned(),
    }
}

fn ago(since: Timestamp, now: Timestamp) -> String {
    let span =
        now.since((Unit::Hour, since)).and_then(|span| span.round(SpanRound::new().smallest(Unit::Second)));
    span.map_or("-".to_owned(), |span| format!("{span:#}"))
}
