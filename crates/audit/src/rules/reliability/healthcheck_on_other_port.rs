//! A health check that asks elsewhere says nothing about the service.

use seaworthy_project::Span;
use seaworthy_project::model::healthcheck::HealthTest;

use super::super::build::port_mismatch::exposed;
use crate::dockerfile::Keyword;
use crate::{Build, BuildFile, Confidence, Context, Example, Findings, Group, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "healthcheck-on-other-port",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Reliability,
    summary: "health check asks on a port on which nobody listens",
    why: "The check fails for ever though the service works: it never gets ready, and what waits for it never starts.",
    fix: "Ask on the port on which the service listens inside its container.",
    bad: "services:\n  web:\n    image: nginx:1.29\n    healthcheck:\n      test: curl -fsS http://localhost:8080/\n",
    good: "services:\n  web:\n    image: nginx:1.29\n    healthcheck:\n      test: curl -fsS http://localhost:80/\n",
    more: &[Example {
        of: "a check of the image",
        bad: "FROM debian:13-slim\nEXPOSE 8000\nHEALTHCHECK CMD curl -fsS http://localhost:8080/\n",
        good: "FROM debian:13-slim\nEXPOSE 8000\nHEALTHCHECK CMD curl -fsS http://localhost:8000/\n",
    }],
    references: &["CIS Docker 1.6, 5.27"],
    check,
};

/// Names of the container itself.
const ITSELF: [&str; 4] = ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.running() {
        let build = context.build_of(&service.name.value);
        let Some((text, span)) = asked(&service) else { continue };
        let listening = listening(&service, build);
        if let Some(port) = port_of_itself(&text).filter(|port| is_elsewhere(&service, *port, &listening)) {
            let message = format!(
                "The health check of `{}` asks on port {port}, {}.",
                service.name.value,
                told(&listening)
            );
            let finding = findings.report(service.place(&["healthcheck", "test"]), span, message);
            finding.evidence(port.to_string()).confidence(Confidence::Likely);
        }
    }
    for file in &context.build_files {
        for build in file.images(|build| build.subject.service().healthcheck.is_none()) {
            let Some(step) = build.last(file, Keyword::Healthcheck) else { continue };
            let Some(source) = context.project.sources.get(step.span.file) else { continue };
            let text = source.text.get(step.span.start.byte..step.span.end.byte).unwrap_or_default();
            let listening = listening(&build.subject, Some((file, build)));
            if let Some(port) =
                port_of_itself(text).filter(|port| is_elsewhere(&build.subject, *port, &listening))
            {
                let message = format!("The image's health check asks on port {port}, {}.", told(&listening));
                let finding = file.report(findings, step.span, &port.to_string(), message);
                finding.confidence(Confidence::Likely);
            }
        }
    }
}

/// The text of a service's own test, and where it stands.
fn asked(service: &Subject<'_>) -> Option<(String, Span)> {
    let check = service.healthcheck.as_ref()?;
    let text = match check.value.test.as_ref()? {
        HealthTest::Command(words) => words.join(" "),
        HealthTest::Shell(text) => text.clone(),
        HealthTest::Disabled => return None,
    };
    Some((text, service.span_of(&["healthcheck", "test"])))
}

/// The port in the first address of the container itself: `http://localhost:8080/`.
fn port_of_itself(text: &str) -> Option<u16> {
    ITSELF.into_iter().find_map(|name| {
        text.match_indices(name).find_map(|(at, _)| {
            let rest = text[at + name.len()..].strip_prefix(':')?;
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            rest[..end].parse().ok()
        })
    })
}

/// The ports on which a service is known to listen; empty where that is not known well enough.
fn listening(service: &Subject<'_>, build: Option<(&BuildFile<'_>, &Build<'_>)>) -> Vec<u16> {
    match build {
        Some((file, build)) => exposed(file, build).into_iter().flatten().flatten().collect(),
        None => service.known.iter().flat_map(|known| &known.ports).map(|port| port.port).collect(),
    }
}

/// Whether a port is none of those, and nothing that people wrote may have moved the service there.
fn is_elsewhere(service: &Subject<'_>, port: u16, listening: &[u16]) -> bool {
    let number = port.to_string();
    let is_port = |value: &str| value.contains(&number);
    let mut values = service.service().environment.values().filter_map(|value| value.value.as_ref());
    let published = service.ports.iter().any(|one| one.value.target == port);
    let routed = service.settings.route.as_ref().is_some_and(|route| route.value.port == Some(port));
    let configured = service.command.is_some()
        || service.entrypoint.is_some()
        || !service.configs.is_empty()
        || service.mounts.iter().any(|mount| mount.value.target.contains("/etc/"));
    let told = published || routed || configured || values.any(|value| is_port(value.reveal()));
    !listening.is_empty() && !listening.contains(&port) && !told
}

fn told(listening: &[u16]) -> String {
    let ports: Vec<String> = listening.iter().map(u16::to_string).collect();
    format!("and it listens on {}", ports.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_container_itself_is_meant() {
        assert_eq!(port_of_itself("curl -f http://localhost:8080/health || exit 1"), Some(8080));
        assert_eq!(port_of_itself("nc -z 127.0.0.1:5432"), Some(5432));
        for other in [
            "curl http://db:8080/",
            "curl http://localhost/",
            "pg_isready",
            "curl localhost:x",
            "curl localhost:99999",
        ] {
            assert_eq!(port_of_itself(other), None, "{other}");
        }
    }
}
