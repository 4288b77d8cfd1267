//! `events`: what happened, to the project and to its instances.

use std::time::Duration;

use jiff::Timestamp;
use seaworthy_engine::InstanceEvent;
use seaworthy_project::parse_duration;
use seaworthy_release::{Clock, Happening, SystemClock};
use serde_json::json;
use tokio::sync::mpsc;

use crate::arguments::Format;
use crate::context::{Context, Site};
use crate::error::{CommandError, Exit};

/// How often new lines of the journal are looked for while following.
const INTERVAL: Duration = Duration::from_millis(500);
/// Events that may wait to be written.
const WAITING: usize = 1000;

/// Show what happened: changes step by step, instances that started, ended, ran out of memory or turned unhealthy
///
/// Changes are remembered for good. What became of instances is known as far back as the engine remembers.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  seaworthy events --since 10m
  seaworthy events --follow --format json
  seaworthy events --since 2026-03-01T12:00:00Z")]
pub(crate) struct EventsArgs {
    /// From when on: a time, or how long ago
    #[arg(long, value_name = "TIME", default_value = "1h")]
    since: String,
    /// Go on as things happen
    #[arg(short, long)]
    follow: bool,
    /// Text, or a line of JSON for each event
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) async fn events(context: &Context, arguments: &EventsArgs) -> Result<Exit, CommandError> {
    let name = context.project_name()?;
    let now = SystemClock.now();
    let since = since(&arguments.since, now)?;
    let site = context.site_that_is(&name)?;
    let mut happened = site.store.happenings(since)?;
    let mut seen = happened.len();
    let mut take = |event: InstanceEvent| {
        happened.push(Happening::of_instance(&event));
        true
    };
    site.engine.events(&name, Some(since), Some(now), &mut take).await?;
    happened.sort_by_key(|happening| happening.at);
    for happening in &happened {
        if !print(context, &site, arguments, happening) {
            return Ok(Exit::Done);
        }
    }
    if !arguments.follow {
        return Ok(Exit::Done);
    }
    let mut coming = listen(&site, now);
    loop {
        tokio::select! {
            event = coming.recv() => match event {
                Some(Ok(event)) => {
                    if !print(context, &site, arguments, &Happening::of_instance(&event)) {
                        return Ok(Exit::Done);
                    }
                }
                Some(Err(error)) => return Err(error),
                None => return Ok(Exit::Done),
            },
            () = tokio::time::sleep(INTERVAL) => {
                let all = site.store.happenings(since)?;
                for happening in all.iter().skip(seen) {
                    if !print(context, &site, arguments, happening) {
                        return Ok(Exit::Done);
                    }
                }
                seen = all.len();
            }
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Interrupted),
        }
    }
}

/// What happens to instances from a moment on.
fn listen(site: &Site, from: Timestamp) -> mpsc::Receiver<Result<InstanceEvent, CommandError>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let (engine, project) = (site.engine.clone(), site.project.clone());
    tokio::spawn(async move {
        // Whoever reads this slowly is not worth holding up the engine for.
        let mut tell = |event: InstanceEvent| event.at <= from || sender.try_send(Ok(event)).is_ok();
        if let Err(error) = engine.events(&project, Some(from), None, &mut tell).await {
            let _ = sender.send(Err(error.into())).await;
        }
    });
    receiver
}

/// Reads `10m` or a time.
fn since(text: &str, now: Timestamp) -> Result<Timestamp, CommandError> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let ago = parse_duration(text).ok().and_then(|ago| now.checked_sub(ago).ok());
    ago.ok_or_else(|| {
        CommandError::new(
            format!("`{text}` is neither a time nor a while"),
            Some("write `10m`, `2h`, or `2026-03-01T12:00:00Z`"),
        )
    })
}

/// Prints an event; answers whether somebody still reads.
fn print(context: &Context, site: &Site, arguments: &EventsArgs, happening: &Happening) -> bool {
    let text = match arguments.format {
        Format::Text => format!("{:.0}  {}\n", happening.at, happening.text),
        Format::Json => {
            let mut told = json!({ "version": 1, "project": site.project.as_str() });
            if let (Some(told), Ok(serde_json::Value::Object(more))) =
                (told.as_object_mut(), serde_json::to_value(happening))
            {
                told.extend(more);
            }
            format!("{told}\n")
        }
    };
    context.ui.data(&text)
}
