//! Which keys merge in which way.

use crate::Node;

/// How a later value meets an earlier one.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// Maps merge key by key, lists grow.
    Deep,
    /// The later value stands alone.
    Replace,
    /// As [`Rule::Deep`], but another `driver` stands alone.
    Driver,
    /// Lists grow, and items with the same identity replace each other; no identity, no replacing.
    Unique(fn(&Node) -> Option<String>),
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// The rule at a path of keys.
pub(super) fn rule(path: &[String]) -> Rule {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["services", _, key] => service(key),
        ["services", _, "healthcheck", "test"]
        | ["services", _, "x-seaworthy", "process", "command" | "build"] => Rule::Replace,
        ["services", _, "build", "args" | "labels" | "ulimits"] => Rule::Deep,
        ["services", _, "build", "secrets"] => Rule::Unique(granted),
        ["services", _, "build", _] | ["services", _, "networks", _, "aliases" | "link_local_ips"] => {
            Rule::Unique(same_text)
        }
        ["networks", _, "ipam", "config"] => Rule::Unique(subnet),
        _ => Rule::Deep,
    }
}

fn service(key: &str) -> Rule {
    match key {
        "command" | "entrypoint" | "provider" => Rule::Replace,
        "logging" => Rule::Driver,
        "ports" => Rule::Unique(port),
        "volumes" | "devices" => Rule::Unique(target),
        "secrets" | "configs" => Rule::Unique(granted),
        "env_file" => Rule::Unique(|item| item.get("path")?.text().map(str::to_owned)),
        "tmpfs" => Rule::Unique(|item| item.text()?.split(':').next().map(str::to_owned)),
        "cap_add"
        | "cap_drop"
        | "dns"
        | "dns_opt"
        | "dns_search"
        | "expose"
        | "external_links"
        | "extra_hosts"
        | "group_add"
        | "label_file"
        | "links"
        | "profiles"
        | "security_opt"
        | "volumes_from"
        | "device_cgroup_rules" => Rule::Unique(same_text),
        _ => Rule::Deep,
    }
}

fn same_text(item: &Node) -> Option<String> {
    item.text().map(str::to_owned)
}

fn target(item: &Node) -> Option<String> {
    item.get("target")?.text().map(str::to_owned)
}

fn subnet(item: &Node) -> Option<String> {
    item.get("subnet")?.text().map(str::to_owned)
}

fn granted(item: &Node) -> Option<String> {
    item.get("target").or_else(|| item.get("source"))?.text().map(str::to_owned)
}

fn port(item: &Node) -> Option<String> {
    let text = |key: &str| item.get(key).and_then(Node::text).unwrap_or_default();
    Some(format!("{}:{}:{}/{}", text("host_ip"), text("published"), text("target"), text("protocol")))
}
