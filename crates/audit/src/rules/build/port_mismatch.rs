//! A door leads nowhere when the room is elsewhere.

use std::ops::RangeInclusive;

use crate::dockerfile::Keyword;
use crate::{Build, BuildFile, Confidence, Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "port-mismatch",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "published port is not one that the image listens on",
    why: "The Dockerfile names the ports on which its program listens. A port that is published or routed to \
          another number reaches nothing.",
    fix: "Make them agree: the number behind the colon of `ports`, `x-seaworthy.route.port`, and `EXPOSE`.",
    bad: "--- compose.yaml\nservices:\n  web:\n    build: .\n    ports: [\"80:8080\"]\n--- Dockerfile\nFROM \
          debian:13-slim\nEXPOSE 8000\n",
    good: "--- compose.yaml\nservices:\n  web:\n    build: .\n    ports: [\"80:8000\"]\n--- Dockerfile\nFROM \
          debian:13-slim\nEXPOSE 8000\n",
    more: &[],
    references: &[],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for build in &file.builds {
            let Some(exposed) = exposed(file, build) else { continue };
            let service = build.subject.service();
            // A program that is told its port listens on that one.
            let told = service.environment.iter().filter(|(name, _)| name.ends_with("PORT"));
            let told: Vec<&str> =
                told.filter_map(|(_, value)| Some(value.value.as_ref()?.reveal())).collect();
            let fits = |port: u16| {
                exposed.iter().any(|range| range.contains(&port)) || told.contains(&port.to_string().as_str())
            };
            let said = service.command.is_some() || service.entrypoint.is_some();
            let name = &service.name.value;
            for port in service.ports.iter().filter(|port| !said && !fits(port.value.target)) {
                let target = port.value.target;
                let message =
                    format!("`{name}` publishes port {target}, and its Dockerfile exposes another.");
                let finding = findings.report(build.subject.place(&["ports"]), port.span, message);
                finding.evidence(target.to_string()).confidence(Confidence::Likely);
            }
            let routed =
                service.settings.route.as_ref().and_then(|route| Some((route.value.port?, route.span)));
            if let Some((port, span)) = routed.filter(|(port, _)| !said && !fits(*port)) {
                let message =
                    format!("`{name}` is routed to port {port}, and its Dockerfile exposes another.");
                let finding = findings.report(build.subject.place(&["x-seaworthy", "route"]), span, message);
                finding.evidence(port.to_string()).confidence(Confidence::Likely);
            }
        }
    }
}

/// The ports that an image names; `None` when it names none, or one that cannot be told.
pub(in crate::rules) fn exposed(file: &BuildFile<'_>, build: &Build<'_>) -> Option<Vec<RangeInclusive<u16>>> {
    let steps = build.steps(file).filter(|step| step.keyword == Keyword::Expose);
    let mut ports = Vec::new();
    for word in steps.flat_map(|step| &step.words) {
        let text = file.dockerfile.fill_in(&word.text, build.target?, &build.arguments)?;
        let number = text.split('/').next().unwrap_or_default();
        let (first, last) = number.split_once('-').unwrap_or((number, number));
        ports.push(first.parse().ok()?..=last.parse().ok()?);
    }
    (!ports.is_empty()).then_some(ports)
}
