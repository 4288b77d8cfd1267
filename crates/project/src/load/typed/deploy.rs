//! `deploy`, with the older keys of a service that mean the same.

use crate::Node;
use crate::load::typed::access::{bytes, count, cpus, plain_duration, plain_text, value};
use crate::model::deploy::{Deploy, Order, Resources, RestartPolicy, Update};

/// `deploy` of a service; `scale` counts where `replicas` is absent.
pub(super) fn deploy(service: &Node) -> Deploy {
    let scale = count(service, "scale");
    let Some(deploy) = service.get("deploy") else { return Deploy { replicas: scale, ..Deploy::default() } };
    let resources = |key: &str| deploy.at(&["resources", key]).map(resources).unwrap_or_default();
    Deploy {
        replicas: count(deploy, "replicas").or(scale),
        limits: resources("limits"),
        reservations: resources("reservations"),
        update: deploy.get("update_config").map(update),
        rollback: deploy.get("rollback_config").map(update),
        restart: deploy.get("restart_policy").map(restart),
    }
}

fn resources(node: &Node) -> Resources {
    Resources {
        cpus: cpus(node, "cpus"),
        memory: bytes(node, "memory"),
        pids: value(node, "pids", |text| text.parse().ok()),
    }
}

fn update(node: &Node) -> Update {
    Update {
        parallelism: count(node, "parallelism").map(|count| count.value),
        delay: plain_duration(node, "delay"),
        monitor: plain_duration(node, "monitor"),
        order: node.get("order").and_then(Node::text).and_then(|order| match order {
            "start-first" => Some(Order::StartFirst),
            "stop-first" => Some(Order::StopFirst),
            _ => None,
        }),
        failure_action: plain_text(node, "failure_action"),
        max_failure_millionths: plain_text(node, "max_failure_ratio").and_then(|ratio| millionths(&ratio)),
    }
}

/// A share between 0 and 1, in millionths.
fn millionths(ratio: &str) -> Option<u32> {
    let ratio = ratio.parse::<f64>().ok().filter(|ratio| (0.0..=1.0).contains(ratio))?;
    Some((ratio * 1_000_000.0).round() as u32)
}

fn restart(node: &Node) -> RestartPolicy {
    RestartPolicy {
        condition: plain_text(node, "condition"),
        delay: plain_duration(node, "delay"),
        max_attempts: count(node, "max_attempts").map(|count| count.value),
        window: plain_duration(node, "window"),
    }
}
