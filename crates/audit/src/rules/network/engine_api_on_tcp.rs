//! The engine's API over the network is root for everyone.

use crate::context::is_open;
use crate::dockerfile::Keyword;
use crate::{Context, Example, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "engine-api-on-tcp",
    severity: Severity::Critical,
    grades: &[],
    group: Group::Network,
    summary: "container engine is spoken to over plain TCP",
    why: "Port 2375 carries the engine's whole API without encryption or password: whoever reaches it owns the host.",
    fix: "Use port 2376 with TLS certificates, or ssh; and do not publish either.",
    bad: "services:\n  ci:\n    image: shop-ci:1.4\n    environment:\n      DOCKER_HOST: tcp://docker:2375\n",
    good: "services:\n  ci:\n    image: shop-ci:1.4\n    environment:\n      DOCKER_HOST: tcp://docker:2376\n",
    more: &[
        Example {
            of: "its port is published",
            bad: "services:\n  engine:\n    image: docker:28-dind\n    ports: [\"2375:2375\"]\n",
            good: "services:\n  engine:\n    image: docker:28-dind\n",
        },
        Example {
            of: "an engine that offers it",
            bad: "services:\n  engine:\n    image: docker:28-dind\n    command: \
                  [\"--host=tcp://0.0.0.0:2375\"]\n",
            good: "services:\n  engine:\n    image: docker:28-dind\n    command: \
                   [\"--host=unix:///run/engine.sock\"]\n",
        },
        Example {
            of: "an image that speaks to it",
            bad: "FROM debian:13-slim\nENV DOCKER_HOST=tcp://docker:2375\n",
            good: "FROM debian:13-slim\nENV DOCKER_HOST=tcp://docker:2376\n",
        },
    ],
    references: &["OWASP Docker Security Cheat Sheet, rule 1"],
    check,
};

const PLAIN_PORT: u16 = 2375;

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let name = &service.name.value;
        if let Some(host) = service.environment.get("DOCKER_HOST")
            && host.value.as_ref().is_some_and(|value| is_plain(value.reveal()))
        {
            let message = format!("`{name}` speaks to a container engine over plain TCP.");
            findings.report(service.place(&["environment", "DOCKER_HOST"]), host.span, message);
        }
        let open = service.ports.iter().find(|port| port.value.target == PLAIN_PORT && is_open(&port.value));
        if let Some(port) = open {
            let message = format!("`{name}` publishes the API of a container engine without encryption.");
            findings.report(service.place(&["ports"]), port.span, message);
        }
        if let Some(word) = service.words().find(|word| word.contains("tcp://") && word.ends_with(":2375")) {
            let message = format!("`{name}` offers the API of a container engine over plain TCP.");
            findings.report(service.place(&["command"]), service.command_span(), message).evidence(word);
        }
    }
    for file in &context.build_files {
        for pair in file.of(Keyword::Env).flat_map(|(_, step)| &step.pairs) {
            let value = pair.value.as_ref().map_or("", |value| value.text.as_str());
            if pair.name.text == "DOCKER_HOST" && is_plain(value) {
                let message = "The image speaks to a container engine over plain TCP.";
                file.report(findings, pair.name.span, "DOCKER_HOST", message);
            }
        }
    }
}

fn is_plain(address: &str) -> bool {
    address.starts_with("tcp://") && address.trim_end_matches('/').ends_with(":2375")
}
