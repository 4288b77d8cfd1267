//! `x-seaworthy`, on a service and at the top level.

use crate::load::canonicalize::words::split;
use crate::load::typed::access::{duration, flag, plain_duration, plain_text, value, words};
use crate::load::typed::balancing::balancing;
use crate::load::typed::policy::policy;
use crate::load::typed::site::site;
use crate::load::typed::{tls, traces};
use crate::model::settings::{
    ProbeSettings, ProbeTarget, ProcessSettings, ProjectSettings, ProveSettings, RolloutSettings, Route,
    RunWhen, ServiceSettings,
};
use crate::{Node, Spanned};

/// Top-level `x-seaworthy`.
pub(super) fn project(node: Option<&Node>) -> ProjectSettings {
    let Some(node) = node else { return ProjectSettings::default() };
    ProjectSettings {
        overlay: flag(node, "overlay"),
        rollout: rollout(node),
        tls: tls::tls(node),
        traces: traces::traces(node),
    }
}

/// `x-seaworthy` of a service.
pub(super) fn service(node: Option<&Node>) -> ServiceSettings {
    let Some(node) = node else { return ServiceSettings::default() };
    ServiceSettings {
        route: node.get("route").filter(|route| !route.is_null()).map(|at| Spanned::new(route(at), at.span)),
        probe: node.get("probe").map(probe).unwrap_or_default(),
        process: node.get("process").and_then(|at| Some(Spanned::new(process(at)?, at.span))),
        run: value(node, "run", |run| match run {
            "before-deploy" => Some(RunWhen::BeforeDeploy),
            "after-deploy" => Some(RunWhen::AfterDeploy),
            _ => None,
        }),
        timeout: duration(node, "timeout"),
        rollout: rollout(node),
        prove: node.get("prove").map(prove).unwrap_or_default(),
    }
}

fn route(node: &Node) -> Route {
    Route {
        host: plain_text(node, "host"),
        path: plain_text(node, "path"),
        port: node.get("port").and_then(Node::text).and_then(|port| port.parse().ok()),
        balance: plain_text(node, "balance"),
        sticky: flag(node, "sticky"),
        tls: tls::tls(node),
        traces: traces::traces(node),
        balancing: balancing(node),
        policy: policy(node),
        site: site(node),
    }
}

fn probe(node: &Node) -> ProbeSettings {
    ProbeSettings { ready: value(node, "ready", probe_target), live: value(node, "live", probe_target) }
}

/// The longest name of a gRPC service.
const LONGEST_SERVICE: usize = 200;

/// Reads `GET /path`, `tcp`, `grpc` or `grpc NAME`.
pub(crate) fn probe_target(text: &str) -> Option<ProbeTarget> {
    if text == "tcp" {
        return Some(ProbeTarget::Tcp);
    }
    if text == "grpc" {
        return Some(ProbeTarget::Grpc { service: String::new() });
    }
    if let Some(service) = text.strip_prefix("grpc ").map(str::trim) {
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
        let named = (1..=LONGEST_SERVICE).contains(&service.len()) && service.chars().all(fits);
        return named.then(|| ProbeTarget::Grpc { service: service.to_owned() });
    }
    let path = text.strip_prefix("GET ")?.trim();
    let printable = path.bytes().all(|byte| byte.is_ascii_graphic());
    (path.starts_with('/') && printable).then(|| ProbeTarget::Http { path: path.to_owned() })
}

fn process(node: &Node) -> Option<ProcessSettings> {
    Some(ProcessSettings { command: list(node, "command")?, build: list(node, "build") })
}

/// A program and its arguments, as a list or as a text that is split.
fn list(node: &Node, key: &str) -> Option<Vec<String>> {
    let node = node.get(key)?;
    node.text().map_or_else(|| Some(words(node)), split).filter(|words| !words.is_empty())
}

fn prove(node: &Node) -> ProveSettings {
    let said = node.get("command").map(|at| at.span);
    let command = list(node, "command").zip(said).map(|(words, span)| Spanned::new(words, span));
    ProveSettings { command }
}

fn rollout(node: &Node) -> RolloutSettings {
    let Some(node) = node.get("rollout") else { return RolloutSettings::default() };
    RolloutSettings {
        ready_deadline: plain_duration(node, "ready_deadline"),
        min_healthy: plain_duration(node, "min_healthy"),
        progress_deadline: plain_duration(node, "progress_deadline"),
        drain: plain_duration(node, "drain"),
    }
}
