//! `logs`: what instances wrote, one colour per service.

use std::collections::BTreeMap;
use std::time::Duration;

use seaworthy_engine::{InstanceId, LogCursor, LogLine};
use serde_json::json;

use crate::arguments::Format;
use crate::context::{Context, Site};
use crate::error::{CommandError, Exit};
use crate::ui::Tone;

/// How often new lines are looked for while following.
const INTERVAL: Duration = Duration::from_millis(250);
/// Lines taken of one instance at a time.
const BATCH: usize = 1000;

/// Show what instances wrote
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  seaworthy logs -f web worker\n  seaworthy logs --tail 20")]
pub(crate) struct LogsArgs {
    /// Only these services
    services: Vec<String>,
    /// Go on as new lines come
    #[arg(short, long)]
    follow: bool,
    /// Lines from the end of each log
    #[arg(long, value_name = "LINES", default_value_t = 100)]
    tail: usize,
    /// With the time of each line
    #[arg(short, long)]
    timestamps: bool,
    /// Text, or a line of JSON for each line of the log
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) async fn logs(context: &Context, arguments: &LogsArgs) -> Result<Exit, CommandError> {
    let name = context.project_name()?;
    let site = context.site_that_is(&name)?;
    let mut cursors: BTreeMap<InstanceId, LogCursor> = BTreeMap::new();
    let known: Vec<String> = services(&site).await?;
    if let Some(unknown) = arguments.services.iter().find(|service| !known.contains(service)) {
        let hint = format!("services with logs: {}", known.join(", "));
        return Err(CommandError::new(format!("nothing runs or ran of service `{unknown}`"), Some(&hint)));
    }
    loop {
        let observed = site.engine.observe(&name).await?;
        let mut lines: Vec<(LogLine, InstanceId)> = Vec::new();
        for instance in &observed.instances {
            let id = &instance.id;
            if !arguments.services.is_empty()
                && !arguments.services.iter().any(|service| service == id.service.as_str())
            {
                continue;
            }
            let cursor = cursors.get(id).copied().unwrap_or(LogCursor::tail(arguments.tail));
            // An instance may be removed between the look and the read.
            let limit = if cursors.contains_key(id) { BATCH } else { BATCH.max(arguments.tail) };
            let Ok((new, next)) = site.engine.logs(&name, id, cursor, limit).await else { continue };
            cursors.insert(id.clone(), next);
            lines.extend(new.into_iter().map(|line| (line, id.clone())));
        }
        lines.sort_by_key(|(line, _)| line.at);
        for (line, id) in &lines {
            if !print(context, arguments, &known, line, id) {
                return Ok(Exit::Done);
            }
        }
        if !arguments.follow {
            return Ok(Exit::Done);
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Interrupted),
        }
    }
}

async fn services(site: &Site) -> Result<Vec<String>, CommandError> {
    let observed = site.engine.observe(&site.project).await?;
    let mut names: Vec<String> =
        observed.instances.iter().map(|instance| instance.id.service.to_string()).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// Prints a line; answers whether somebody still reads.
fn print(context: &Context, arguments: &LogsArgs, known: &[String], line: &LogLine, id: &InstanceId) -> bool {
    if arguments.format == Format::Json {
        let told = json!({
            "version": 1, "at": line.at, "service": id.service, "instance": id.to_string(),
            "stream": line.stream, "text": line.text,
        });
        return context.ui.data(&format!("{told}\n"));
    }
    let width = known.iter().map(String::len).max().unwrap_or(0) + 3;
    let index = known.iter().position(|name| name == id.service.as_str()).unwrap_or(0);
    let name = format!("{}.{}", id.service, id.slot);
    let label = context.ui.out.paint(Tone::Service(index), &format!("{name:<width$} |"));
    let time = if arguments.timestamps { format!("{} ", line.at) } else { String::new() };
    let text: String = line.text.chars().filter(|c| !c.is_control() || *c == '\t').collect();
    context.ui.data(&format!("{label} {time}{text}\n"))
}
