//! What cannot be read cannot be built.

use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "broken-dockerfile",
    severity: Severity::High,
    grades: &[],
    group: Group::Build,
    summary: "Dockerfile has a line that cannot be built",
    why: "The build stops at this line, at the latest during the next deploy. A document or a line that never ends \
          may also swallow what follows, so that a `USER` below it does nothing.",
    fix: "Correct the line.",
    bad: "FROM debian:13-slim\nRNU apt-get update\n",
    good: "FROM debian:13-slim\nRUN apt-get update\n",
    more: &[],
    references: &["Dockerfile reference"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for (number, fault) in file.dockerfile.faults.iter().enumerate() {
            let finding = file.report(
                findings,
                fault.span,
                &format!("{number} {}", fault.message),
                fault.message.clone(),
            );
            finding.help(sentence(&fault.hint));
        }
        for build in file.builds.iter().filter(|build| build.target.is_none()) {
            let service = &build.subject;
            let wanted = service.build.as_ref().and_then(|build| build.value.target.as_deref());
            let Some(wanted) = wanted.filter(|_| !file.dockerfile.stages.is_empty()) else { continue };
            let message = format!(
                "`{}` is built to the stage `{wanted}`, which `{}` does not have.",
                service.name.value, file.name
            );
            let place = service.place(&["build", "target"]);
            let finding = findings.report(place, service.span_of(&["build", "target"]), message);
            finding.help("Name one of its stages, or give a stage that name with `AS`.");
        }
    }
}

fn sentence(hint: &str) -> String {
    let mut chars = hint.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if hint.ends_with(['?', '.']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}
