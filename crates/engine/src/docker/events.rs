//! What happened to containers, as the daemon remembers and tells it.

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt;
use jiff::Timestamp;
use seaworthy_project::{ProjectName, ServiceName};

use crate::docker::client::{Client, refused};
use crate::docker::labels;
use crate::{EngineError, Happened, InstanceEvent, InstanceId, RevisionId, Slot};

/// Reads what happened from the daemon, which remembers the last few hundred events of the whole machine.
pub(super) async fn read(
    client: &Client,
    project: &ProjectName,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    tell: &mut (dyn FnMut(InstanceEvent) -> bool + Send),
) -> Result<(), EngineError> {
    let mut filters = labels::filter(&[(labels::PROJECT, project.as_str())]);
    filters.insert("type".to_owned(), vec!["container".to_owned()]);
    let moment = |at: Timestamp| format!("{}.{:09}", at.as_second(), at.subsec_nanosecond());
    let mut options =
        EventsOptionsBuilder::new().filters(&filters).since(&moment(since.unwrap_or(Timestamp::UNIX_EPOCH)));
    if let Some(until) = until {
        options = options.until(&moment(until));
    }
    let mut messages = client.api.events(Some(options.build()));
    while let Some(message) = messages.next().await {
        let message = message.map_err(refused(format!("read the events of `{project}`")))?;
        if let Some(event) = event(message)
            && !tell(event)
        {
            return Ok(());
        }
    }
    Ok(())
}

/// A message about an instance as an event; `None` for what does not change how it is.
fn event(message: EventMessage) -> Option<InstanceEvent> {
    let what = match message.action.as_deref()? {
        "create" => Happened::Made,
        "start" => Happened::Started,
        "die" => Happened::Ended,
        "oom" => Happened::OutOfMemory,
        "destroy" => Happened::Removed,
        "health_status: healthy" => Happened::Healthy,
        "health_status: unhealthy" => Happened::Unhealthy,
        _ => return None,
    };
    let attributes = message.actor?.attributes?;
    let label = |key: &str| attributes.get(key).map(String::as_str);
    let instance = InstanceId {
        service: ServiceName::new(label(labels::SERVICE)?).ok()?,
        revision: RevisionId(label(labels::REVISION)?.to_owned()),
        slot: Slot(label(labels::SLOT)?.parse().ok()?),
    };
    let code = label("exitCode").and_then(|code| code.parse().ok()).filter(|_| what == Happened::Ended);
    let at = Timestamp::from_nanosecond(i128::from(message.time_nano?)).ok()?;
    Some(InstanceEvent { at, instance, what, code })
}
