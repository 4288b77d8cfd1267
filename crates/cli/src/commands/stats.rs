//! `stats`: what instances use.

use std::collections::BTreeMap;
use std::time::Duration;

use seaworthy_engine::{InstanceId, InstanceState, Usage};
use seaworthy_project::Bytes;
use serde_json::json;

use crate::arguments::Format;
use crate::context::{Context, Site};
use crate::error::{CommandError, Exit};
use crate::ui::Table;

/// Over which a share of the processors is told.
const SPAN: Duration = Duration::from_secs(1);
/// Instances asked at a time.
const AT_ONCE: usize = 16;

/// Show what instances use: processor, memory, network, disk, processes
///
/// A processor that is fully used is 100 %. Network and disk are counted from the start of the instance; what the
/// engine cannot tell is shown as `-`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  seaworthy stats\n  seaworthy stats --watch web")]
pub(crate) struct StatsArgs {
    /// Only these services
    services: Vec<String>,
    /// Go on, once a second
    #[arg(short, long)]
    watch: bool,
    /// Text, or a line of JSON for each instance
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What one instance uses, and its share of a processor.
type Row = (InstanceId, Usage, Option<f64>);

pub(crate) async fn stats(context: &Context, arguments: &StatsArgs) -> Result<Exit, CommandError> {
    let name = context.project_name()?;
    let site = context.site_that_is(&name)?;
    let mut before = look(&site, &arguments.services).await?;
    loop {
        tokio::select! {
            () = tokio::time::sleep(SPAN) => {}
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Interrupted),
        }
        let now = look(&site, &arguments.services).await?;
        let share = |id: &InstanceId, usage: &Usage| usage.cpu_percent_since(before.get(id)?);
        let rows: Vec<Row> =
            now.iter().map(|(id, usage)| (id.clone(), usage.clone(), share(id, usage))).collect();
        let text = match arguments.format {
            Format::Text => {
                let table = table(&rows).text(context.ui.out);
                let clear = arguments.watch && context.surroundings.stdout_is_terminal;
                if clear { format!("\x1b[H\x1b[2J{table}") } else { table }
            }
            Format::Json => rows.iter().map(|row| line(name.as_str(), row)).collect(),
        };
        if !context.ui.data(&text) || !arguments.watch {
            return Ok(Exit::Done);
        }
        before = now;
    }
}

/// What each running instance uses now.
async fn look(site: &Site, services: &[String]) -> Result<BTreeMap<InstanceId, Usage>, CommandError> {
    let observed = site.engine.observe(&site.project).await?;
    let wished = |id: &InstanceId| {
        services.is_empty() || services.iter().any(|service| service == id.service.as_str())
    };
    let ids: Vec<InstanceId> = observed
        .instances
        .into_iter()
        .filter(|one| one.state == InstanceState::Running && wished(&one.id))
        .map(|one| one.id)
        .collect();
    let mut all = BTreeMap::new();
    for some in ids.chunks(AT_ONCE) {
        let asked = some.iter().map(|id| {
            let (engine, project, id) = (site.engine.clone(), site.project.clone(), id.clone());
            tokio::spawn(async move { (id.clone(), engine.usage(&project, &id).await) })
        });
        for answer in asked.collect::<Vec<_>>() {
            match answer.await {
                Ok((id, Ok(Some(usage)))) => drop(all.insert(id, usage)),
                // It ended meanwhile, or was replaced.
                Ok((_, Ok(None) | Err(seaworthy_engine::EngineError::NoInstance { .. }))) => {}
                Ok((_, Err(error))) => return Err(error.into()),
                Err(error) => return Err(CommandError::new(format!("asking failed: {error}"), None)),
            }
        }
    }
    Ok(all)
}

fn table(rows: &[Row]) -> Table {
    let mut table =
        Table::new(&["INSTANCE", "CPU", "MEMORY", "LIMIT", "NET IN / OUT", "DISK READ / WRITTEN", "PIDS"]);
    let size = |bytes: Option<u64>| bytes.map_or("-".to_owned(), |bytes| Bytes(bytes).to_string());
    for (id, usage, share) in rows {
        table.row(vec![
            id.to_string(),
            share.map_or("-".to_owned(), |share| format!("{share:.1} %")),
            size(Some(usage.memory_bytes)),
            size(usage.memory_limit_bytes),
            format!("{} / {}", size(usage.received_bytes), size(usage.sent_bytes)),
            format!("{} / {}", size(usage.read_bytes), size(usage.written_bytes)),
            usage.pids.to_string(),
        ]);
    }
    table
}

fn line(project: &str, (id, usage, share): &Row) -> String {
    let mut told = json!({
        "version": 1, "project": project, "service": id.service, "instance": id.to_string(), "cpu_percent": share,
    });
    if let (Some(told), Ok(serde_json::Value::Object(usage))) =
        (told.as_object_mut(), serde_json::to_value(usage))
    {
        told.extend(usage);
    }
    format!("{told}\n")
}
