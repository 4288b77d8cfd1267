//! What faces the internet needs no way to data that it does not use.

use seaworthy_catalog::Kind;

use crate::{Confidence, Context, Findings, Group, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "datastore-beside-edge",
    severity: Severity::Low,
    grades: &[],
    group: Group::Network,
    summary: "datastore shares a network with a proxy that does not use it",
    why: "On a shared network every service reaches every port of the others. The proxy is what strangers talk to; once taken \
          over, it is one step from the data, though it only ever needed the program between them.",
    fix: "Make two networks: one for the proxy and the program, one for the program and its datastores, this one with \
          `internal: true`.",
    bad: "services:\n  proxy:\n    image: nginx:1.29\n    ports: [\"80:80\"]\n    depends_on: [web]\n  web:\n    image: shop:1.4\n  \
          db:\n    image: postgres:17\n",
    good: "services:\n  proxy:\n    image: nginx:1.29\n    ports: [\"80:80\"]\n    depends_on: [web]\n    networks: [front]\n  \
           web:\n    image: shop:1.4\n    networks: [front, back]\n  db:\n    image: postgres:17\n    networks: [back]\n\
           networks:\n  front: {}\n  back: { internal: true }\n",
    more: &[],
    references: &["OWASP Docker Security Cheat Sheet, rule 5"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let edges: Vec<Subject<'_>> = context.running().filter(is_edge).collect();
    for store in
        context.running().filter(|service| service.known.is_some_and(|known| known.kind.is_internal()))
    {
        let shared = |edge: &&Subject<'_>| {
            let mut networks = edge.service().networks.iter();
            networks.any(|network| store.networks.iter().any(|own| own.value == network.value))
        };
        let Some(edge) = edges.iter().filter(|edge| !names(edge, store.name.value.as_str())).find(shared)
        else {
            continue;
        };
        let name = &store.name.value;
        let message = format!(
            "`{}`, which faces the outside, can reach `{name}` and does not use it.",
            edge.name.value
        );
        let finding = findings.report(store.place(&["networks"]), store.span_of(&["networks"]), message);
        finding.confidence(Confidence::Likely).related(edge.name.span, "strangers talk to this one");
    }
}

/// Whether a service is a reverse proxy or web server that requests from outside go to.
fn is_edge(service: &Subject<'_>) -> bool {
    service.is_reachable() && service.known.is_some_and(|known| known.kind == Kind::Proxy)
}

/// Whether a service speaks of another by its name: it may well use it then.
fn names(service: &Subject<'_>, other: &str) -> bool {
    let values = service.service().environment.values().filter_map(|value| value.value.as_ref());
    service.depends_on.iter().any(|dependency| dependency.service.value.as_str() == other)
        || values.into_iter().any(|value| value.reveal().contains(other))
        || service.words().any(|word| word.contains(other))
}
