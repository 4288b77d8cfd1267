//! What a container uses, as the daemon counts it.

use bollard::models::{ContainerMemoryStats, ContainerStatsResponse};
use bollard::query_parameters::StatsOptionsBuilder;
use futures_util::StreamExt;
use seaworthy_project::ProjectName;

use crate::docker::client::{Client, is_status, refused};
use crate::docker::observe;
use crate::{EngineError, InstanceId, InstanceState, Usage, system};

/// Limits above this are the machine's own memory, or none.
const NO_LIMIT: u64 = 1 << 60;

pub(super) async fn of(
    client: &Client,
    project: &ProjectName,
    id: &InstanceId,
) -> Result<Option<Usage>, EngineError> {
    let found = observe::find(client, project, id).await?;
    let found = found.ok_or_else(|| EngineError::NoInstance { instance: id.to_string() })?;
    if found.instance.state != InstanceState::Running {
        return Ok(None);
    }
    let options = StatsOptionsBuilder::new().stream(false).one_shot(true).build();
    let told = client.api.stats(&found.id, Some(options)).next().await;
    match told {
        Some(Ok(told)) => Ok(usage(told)),
        // It went between the look and the question.
        Some(Err(error)) if is_status(&error, 404) || is_status(&error, 409) => Ok(None),
        Some(Err(error)) => Err(refused(format!("ask what {id} uses"))(error)),
        None => Ok(None),
    }
}

fn usage(told: ContainerStatsResponse) -> Option<Usage> {
    let cpu = told.cpu_stats.and_then(|cpu| cpu.cpu_usage).and_then(|usage| usage.total_usage);
    let memory = told.memory_stats.unwrap_or_default();
    let networks: Vec<_> = told.networks.unwrap_or_default().into_values().collect();
    let total = |count: fn(&bollard::models::ContainerNetworkStats) -> Option<u64>| {
        (!networks.is_empty()).then(|| networks.iter().filter_map(count).sum())
    };
    let disk = told.blkio_stats.and_then(|stats| stats.io_service_bytes_recursive);
    let moved = |wanted: &str| {
        let entries = disk.as_ref()?.iter();
        let of = entries.filter(|entry| entry.op.as_ref().is_some_and(|op| op.eq_ignore_ascii_case(wanted)));
        Some(of.filter_map(|entry| entry.value).sum())
    };
    Some(Usage {
        taken_at: system::now(),
        // A container that just ended has nothing counted.
        cpu_nanos: cpu?,
        memory_bytes: used(&memory),
        memory_limit_bytes: memory.limit.filter(|limit| *limit < NO_LIMIT),
        received_bytes: total(|network| network.rx_bytes),
        sent_bytes: total(|network| network.tx_bytes),
        read_bytes: moved("read"),
        written_bytes: moved("write"),
        pids: told.pids_stats.and_then(|pids| pids.current).unwrap_or(0),
    })
}

/// What could be freed at once, files that are cached, is not counted: it goes by another name in each version of
/// control groups.
fn used(memory: &ContainerMemoryStats) -> u64 {
    let all = memory.usage.unwrap_or(0);
    let stats = memory.stats.iter().flatten();
    let cached = ["total_inactive_file", "inactive_file"]
        .iter()
        .find_map(|name| stats.clone().find(|(key, _)| key == name).map(|(_, bytes)| *bytes));
    all.saturating_sub(cached.unwrap_or(0))
}
