//! What a container may use: processors, memory, devices, limits of the kernel.

use bollard::models::{
    DeviceMapping, DeviceRequest, HostConfig, ResourcesBlkioWeightDevice, ResourcesUlimits, ThrottleDevice,
};
use seaworthy_project::{Bytes, Node, Service};

use crate::docker::keys;

/// Billionths of a processor in a thousandth of one.
const NANOS_PER_MILLI: u64 = 1_000_000;

/// The same container with the limits of its service.
pub(super) fn limited(base: HostConfig, service: &Service) -> HostConfig {
    let node = &service.node;
    let reserved = service.deploy.reservations.memory.as_ref().map(|memory| counted(memory.value));
    let pids = service.deploy.limits.pids.as_ref().map(|pids| pids.value);
    let blkio = node.get("blkio_config");
    let throttle = |key: &str| blkio.and_then(|blkio| blkio.get(key)).map(throttles);
    HostConfig {
        nano_cpus: service.cpu_limit().and_then(|cpus| i64::try_from(cpus.millis * NANOS_PER_MILLI).ok()),
        cpu_shares: keys::integer(node, "cpu_shares"),
        cpu_period: keys::microseconds(node, "cpu_period"),
        cpu_quota: keys::microseconds(node, "cpu_quota"),
        cpu_realtime_period: keys::microseconds(node, "cpu_rt_period"),
        cpu_realtime_runtime: keys::microseconds(node, "cpu_rt_runtime"),
        cpuset_cpus: keys::text(node, "cpuset"),
        memory: service.memory_limit().map(counted),
        memory_reservation: reserved.or_else(|| keys::bytes(node, "mem_reservation")),
        memory_swap: keys::bytes(node, "memswap_limit"),
        memory_swappiness: keys::integer(node, "mem_swappiness"),
        shm_size: keys::bytes(node, "shm_size"),
        oom_kill_disable: keys::flag(node, "oom_kill_disable"),
        oom_score_adj: keys::integer(node, "oom_score_adj"),
        pids_limit: pids.or_else(|| keys::integer(node, "pids_limit")),
        ulimits: ulimits(node),
        sysctls: keys::pairs(node, "sysctls"),
        devices: devices(node),
        device_cgroup_rules: keys::texts(node, "device_cgroup_rules"),
        device_requests: requests(service),
        blkio_weight: blkio
            .and_then(|blkio| keys::integer(blkio, "weight"))
            .and_then(|weight| u16::try_from(weight).ok()),
        blkio_weight_device: blkio.and_then(|blkio| blkio.get("weight_device")).map(weights),
        blkio_device_read_bps: throttle("device_read_bps"),
        blkio_device_write_bps: throttle("device_write_bps"),
        blkio_device_read_iops: throttle("device_read_iops"),
        blkio_device_write_iops: throttle("device_write_iops"),
        ..base
    }
}

fn counted(bytes: Bytes) -> i64 {
    i64::try_from(bytes.0).unwrap_or(i64::MAX)
}

fn ulimits(node: &Node) -> Option<Vec<ResourcesUlimits>> {
    let entries = node.get("ulimits")?.entries();
    let limit = |entry: &seaworthy_project::Entry| {
        let single = keys::whole(&entry.node);
        ResourcesUlimits {
            name: Some(entry.key.value.clone()),
            soft: single.or_else(|| keys::integer(&entry.node, "soft")),
            hard: single.or_else(|| keys::integer(&entry.node, "hard")),
        }
    };
    (!entries.is_empty()).then(|| entries.iter().map(limit).collect())
}

fn devices(node: &Node) -> Option<Vec<DeviceMapping>> {
    let items = node.get("devices")?.items();
    let device = |item: &Node| {
        let source = keys::text(item, "source");
        DeviceMapping {
            path_in_container: keys::text(item, "target").or_else(|| source.clone()),
            cgroup_permissions: keys::text(item, "permissions").or_else(|| Some("rwm".to_owned())),
            path_on_host: source,
        }
    };
    (!items.is_empty()).then(|| items.iter().map(device).collect())
}

/// `gpus`, and `deploy.resources.reservations.devices`.
fn requests(service: &Service) -> Option<Vec<DeviceRequest>> {
    let node = &service.node;
    let gpus = node.get("gpus").map(Node::items).unwrap_or_default();
    let reserved = node.at(&["deploy", "resources", "reservations", "devices"]);
    let reserved = reserved.map(Node::items).unwrap_or_default();
    let gpus = gpus.iter().map(|item| request(item, &["gpu"]));
    let requests: Vec<DeviceRequest> = gpus.chain(reserved.iter().map(|item| request(item, &[]))).collect();
    (!requests.is_empty()).then_some(requests)
}

fn request(item: &Node, always: &[&str]) -> DeviceRequest {
    let mut capabilities = keys::texts(item, "capabilities").unwrap_or_default();
    for capability in always {
        if !capabilities.iter().any(|known| known == capability) {
            capabilities.push((*capability).to_owned());
        }
    }
    let ids = keys::texts(item, "device_ids");
    let count = keys::integer(item, "count");
    DeviceRequest {
        driver: keys::text(item, "driver"),
        // All of them, unless the file says how many or which.
        count: count.or_else(|| ids.is_none().then_some(-1)),
        device_ids: ids,
        capabilities: Some(vec![capabilities]),
        options: keys::pairs(item, "options"),
    }
}

fn throttles(list: &Node) -> Vec<ThrottleDevice> {
    let throttle = |item: &Node| ThrottleDevice {
        path: keys::text(item, "path"),
        rate: keys::integer(item, "rate").or_else(|| keys::bytes(item, "rate")),
    };
    list.items().iter().map(throttle).collect()
}

fn weights(list: &Node) -> Vec<ResourcesBlkioWeightDevice> {
    let weight = |item: &Node| ResourcesBlkioWeightDevice {
        path: keys::text(item, "path"),
        weight: keys::integer(item, "weight").and_then(|weight| usize::try_from(weight).ok()),
    };
    list.items().iter().map(weight).collect()
}
