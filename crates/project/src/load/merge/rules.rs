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
    /// Lists grow by what is not in them yet.
    New,
    /// Address pools of a network: each meets each, and those of one subnet become one.
    Pools,
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
    let [section, _, keys @ ..] = path else { return Rule::Deep };
    let mut words = ["", "", ""];
    if keys.len() > words.len() {
        return Rule::Deep;
    }
    words.iter_mut().zip(keys).for_each(|(word, key)| *word = key);
    match (section.as_str(), words) {
        ("services", [key, "", ""]) => service(key),
        ("services", ["healthcheck", "test", ""])
        | ("services", ["x-seaworthy", "process", "command" | "build"]) => Rule::Replace,
        ("services", ["build", "tags", ""]) => Rule::Unique(before_equals),
        ("services", ["build", "extra_hosts", ""]) => Rule::New,
        ("services", ["networks", _, "aliases" | "link_local_ips"]) => Rule::Unique(before_equals),
        ("services", ["ulimits" | "environment", _, ""]) => Rule::Replace,
        ("services", ["build", "args", name]) if !name.is_empty() => Rule::Replace,
        ("services", ["build", "ssh", ""]) => Rule::Unique(before_equals),
        ("networks", ["ipam", "config", ""]) => Rule::Pools,
        _ => Rule::Deep,
    }
}

fn service(key: &str) -> Rule {
    match key {
        "command" | "entrypoint" => Rule::Replace,
        "logging" => Rule::Driver,
        "extra_hosts" => Rule::New,
        "ports" => Rule::Unique(port),
        "volumes" | "devices" => Rule::Unique(target),
        "secrets" => Rule::Unique(|item| granted(item, "/run/secrets")),
        "configs" => Rule::Unique(|item| granted(item, "")),
        "env_file" => Rule::Unique(|item| item.get("path")?.text().map(str::to_owned)),
        "expose" => Rule::Unique(same_text),
        "cap_add" | "cap_drop" | "dns" | "dns_opt" | "dns_search" | "links" | "profiles" | "tmpfs" => {
            Rule::Unique(before_equals)
        }
        _ => Rule::Deep,
    }
}

fn same_text(item: &Node) -> Option<String> {
    item.text().map(str::to_owned)
}

/// Items such as `ndots:5` and `ndots=9` are two; `ndots=5` and `ndots=9` are one.
fn before_equals(item: &Node) -> Option<String> {
    item.text()?.split('=').next().map(str::to_owned)
}

fn target(item: &Node) -> Option<String> {
    item.get("target")?.text().map(str::to_owned)
}

fn granted(item: &Node, folder: &str) -> Option<String> {
    match item.get("target") {
        Some(target) => target.text().map(str::to_owned),
        None => Some(format!("{folder}/{}", item.get("source")?.text()?)),
    }
}

fn port(item: &Node) -> Option<String> {
    let text = |key: &str| item.get(key).and_then(Node::text);
    let (host, protocol) = (text("host_ip").unwrap_or("0.0.0.0"), text("protocol").unwrap_or("tcp"));
    Some(format!("{host}:{}:{}/{protocol}", text("published").unwrap_or_default(), text("target")?))
}
