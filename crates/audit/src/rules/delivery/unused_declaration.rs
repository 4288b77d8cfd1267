//! What nobody uses misleads.

use std::collections::HashSet;

use seaworthy_project::{Node, Spanned};

use crate::{Context, Findings, Group, Place, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "unused-declaration",
    severity: Severity::Low,
    grades: &[],
    group: Group::Delivery,
    summary: "a volume, network, secret or config is declared and never used",
    why: "A declaration that no service uses is often a misspelt name or a mount that was lost in an edit: the data or the \
          secret is not where one believes.",
    fix: "Use it or remove it.",
    bad: "services:\n  web:\n    image: shop:1.4\nvolumes:\n  uploads: {}\n",
    good: "services:\n  web:\n    image: shop:1.4\n    volumes: [\"uploads:/uploads\"]\n    x-seaworthy: { route: { auth: { users: team } } }\nvolumes:\n  uploads: {}\nsecrets:\n  team: { file: ./team }\n",
    more: &[],
    references: &[],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let project = context.project;
    if !project.disabled.is_empty() {
        // A service that its profile leaves out may use it.
        return;
    }
    let mut used: HashSet<(&str, &str)> = HashSet::new();
    for service in project.services() {
        used.extend(service.networks.iter().map(|network| ("networks", network.value.as_str())));
        used.extend(
            service.mounts.iter().filter_map(|mount| Some(("volumes", mount.value.source.as_deref()?))),
        );
        used.extend(service.secrets.iter().map(|grant| ("secrets", grant.value.source.as_str())));
        let users = service.node.at(&["x-seaworthy", "route", "auth", "users"]).and_then(Node::text);
        used.extend(users.map(|users| ("secrets", users)));
        used.extend(service.configs.iter().map(|grant| ("configs", grant.value.source.as_str())));
        let build_secrets = service.node.at(&["build", "secrets"]).map(Node::items).unwrap_or_default();
        let names = build_secrets
            .iter()
            .filter_map(|secret| secret.get("source").and_then(Node::text).or(secret.text()));
        used.extend(names.map(|name| ("secrets", name)));
    }
    let mut look = |section: &'static str, what: &str, key: &Spanned<String>| {
        let implicit = section == "networks" && key.value == "default";
        if !implicit && !used.contains(&(section, key.value.as_str())) {
            let message = format!("The {what} `{}` is declared and never used.", key.value);
            findings.report(Place::project(&[section, &key.value]), key.span, message);
        }
    };
    project.volumes.values().for_each(|volume| look("volumes", "volume", &volume.key));
    project.networks.values().for_each(|network| look("networks", "network", &network.key));
    project.secrets.values().for_each(|secret| look("secrets", "secret", &secret.key));
    project.configs.values().for_each(|config| look("configs", "config", &config.key));
}
