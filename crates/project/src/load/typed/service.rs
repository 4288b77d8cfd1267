//! One service.

use indexmap::IndexMap;

use crate::load::typed::access::{
    boolean, count, duration, flag, plain_duration, plain_text, text, texts, words,
};
use crate::load::typed::{deploy, grants, settings};
use crate::model::build::Build;
use crate::model::dependency::{Condition, Dependency};
use crate::model::healthcheck::{HealthTest, Healthcheck};
use crate::model::port::{Port, Protocol};
use crate::model::service::Command;
use crate::{Entry, Node, Sensitive, Service, ServiceName, Spanned, Value};

/// The service under an entry of `services`.
pub(super) fn service(entry: &Entry) -> Option<Service> {
    let node = &entry.node;
    let list = |key: &str| node.get(key).map(Node::items).unwrap_or_default();
    Some(Service {
        name: Spanned::new(ServiceName::new(entry.key.value.clone()).ok()?, entry.key.span),
        image: text(node, "image"),
        build: node.get("build").filter(|at| !at.is_null()).map(|at| Spanned::new(build(at), at.span)),
        command: command(node, "command"),
        entrypoint: command(node, "entrypoint"),
        environment: environment(node),
        ports: list("ports").iter().filter_map(|item| Some(Spanned::new(port(item)?, item.span))).collect(),
        mounts: grants::mounts(node),
        secrets: grants::grants(node, "secrets", "/run/secrets/"),
        configs: grants::grants(node, "configs", "/"),
        networks: networks(node),
        network_mode: text(node, "network_mode"),
        depends_on: depends_on(node),
        healthcheck: node.get("healthcheck").filter(|at| !at.is_null()).map(healthcheck),
        deploy: deploy::deploy(node),
        restart: text(node, "restart"),
        container_name: text(node, "container_name"),
        user: text(node, "user"),
        working_dir: text(node, "working_dir"),
        read_only: boolean(node, "read_only"),
        privileged: boolean(node, "privileged"),
        init: boolean(node, "init"),
        cap_add: texts(node, "cap_add"),
        cap_drop: texts(node, "cap_drop"),
        security_opt: texts(node, "security_opt"),
        stop_grace_period: duration(node, "stop_grace_period"),
        stop_signal: text(node, "stop_signal"),
        profiles: texts(node, "profiles"),
        labels: labels(node),
        settings: settings::service(node.get("x-seaworthy")),
        node: node.without_history(),
    })
}

fn build(node: &Node) -> Build {
    Build {
        context: plain_text(node, "context"),
        dockerfile: plain_text(node, "dockerfile"),
        target: plain_text(node, "target"),
    }
}

fn command(service: &Node, key: &str) -> Option<Spanned<Command>> {
    let node = service.get(key).filter(|node| matches!(node.value, Value::Sequence(_)))?;
    let words = words(node);
    let command = if words.is_empty() { Command::Empty } else { Command::Words(words) };
    Some(Spanned::new(command, node.span))
}

fn environment(service: &Node) -> IndexMap<String, Spanned<Option<Sensitive>>> {
    let entries = service.get("environment").map(Node::entries).unwrap_or_default();
    let value = |node: &Node| Spanned::new(node.text().map(Sensitive::new), node.span);
    entries.iter().map(|entry| (entry.key.value.clone(), value(&entry.node))).collect()
}

fn labels(service: &Node) -> IndexMap<String, Spanned<String>> {
    let entries = service.get("labels").map(Node::entries).unwrap_or_default();
    let value = |node: &Node| Spanned::new(node.text().unwrap_or_default().to_owned(), node.span);
    entries.iter().map(|entry| (entry.key.value.clone(), value(&entry.node))).collect()
}

fn port(item: &Node) -> Option<Port> {
    // Of a range, of which the engine takes one, the first stands for all.
    let published =
        item.get("published").and_then(Node::text).and_then(|text| text.split('-').next()?.parse().ok());
    Some(Port {
        target: item.get("target")?.text()?.parse().ok()?,
        published: published.filter(|port| *port != 0),
        host_ip: plain_text(item, "host_ip"),
        protocol: match item.get("protocol").and_then(Node::text) {
            Some("udp") => Protocol::Udp,
            Some("sctp") => Protocol::Sctp,
            _ => Protocol::Tcp,
        },
        app_protocol: plain_text(item, "app_protocol"),
    })
}

fn networks(service: &Node) -> Vec<Spanned<String>> {
    let entries = service.get("networks").map(Node::entries).unwrap_or_default();
    entries.iter().map(|entry| entry.key.clone()).collect()
}

fn depends_on(service: &Node) -> Vec<Dependency> {
    let entries = service.get("depends_on").map(Node::entries).unwrap_or_default();
    entries.iter().filter_map(dependency).collect()
}

fn dependency(entry: &Entry) -> Option<Dependency> {
    let condition = entry.node.get("condition")?;
    Some(Dependency {
        service: Spanned::new(ServiceName::new(entry.key.value.clone()).ok()?, entry.key.span),
        condition: match condition.text()? {
            "service_healthy" => Condition::Healthy,
            "service_completed_successfully" => Condition::Completed,
            _ => Condition::Started,
        },
        explicit: condition.span != entry.key.span,
        required: boolean(&entry.node, "required").is_none_or(|required| required.value),
        restart: flag(&entry.node, "restart"),
    })
}

fn healthcheck(node: &Node) -> Spanned<Healthcheck> {
    let test = if flag(node, "disable") {
        Some(HealthTest::Disabled)
    } else {
        node.get("test").and_then(|test| health_test(words(test)))
    };
    let healthcheck = Healthcheck {
        test,
        interval: plain_duration(node, "interval"),
        timeout: plain_duration(node, "timeout"),
        retries: count(node, "retries").map(|count| count.value),
        start_period: plain_duration(node, "start_period"),
        start_interval: plain_duration(node, "start_interval"),
    };
    Spanned::new(healthcheck, node.span)
}

fn health_test(mut words: Vec<String>) -> Option<HealthTest> {
    let first = if words.is_empty() { return None } else { words.remove(0) };
    match first.as_str() {
        "NONE" => Some(HealthTest::Disabled),
        "CMD" => Some(HealthTest::Command(words)),
        "CMD-SHELL" => Some(HealthTest::Shell(words.join(" "))),
        _ => None,
    }
}
