//! A check that cannot fail checks nothing.

use seaworthy_project::model::healthcheck::HealthTest;

use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "healthcheck-always-true",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Reliability,
    summary: "health check cannot fail",
    why: "A test that succeeds whatever happens moves traffic to instances that do not work and keeps broken ones.",
    fix: "Ask the service itself, and let the test fail when it does not answer.",
    bad: "services:\n  web:\n    image: shop:1.4\n    healthcheck:\n      test: curl -f http://localhost:8000/health || true\n",
    good: "services:\n  web:\n    image: shop:1.4\n    healthcheck:\n      test: curl -f http://localhost:8000/health || exit 1\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.6"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let Some(check) = &service.healthcheck else { continue };
        let text = match &check.value.test {
            Some(HealthTest::Shell(text)) => text.clone(),
            Some(HealthTest::Command(words)) => words.join(" "),
            _ => continue,
        };
        if cannot_fail(&text) {
            let message = format!("The health check of `{}` cannot fail.", service.name.value);
            findings.report(
                service.place(&["healthcheck", "test"]),
                service.span_of(&["healthcheck", "test"]),
                message,
            );
        }
    }
}

fn cannot_fail(text: &str) -> bool {
    let text = text.trim().trim_end_matches(';').trim_end();
    let last = text.rsplit([';', '\n']).next().unwrap_or_default();
    let last_choice = last.rsplit("||").next().unwrap_or_default().trim();
    let succeeds =
        |word: &str| matches!(word, "true" | "/bin/true" | ":" | "exit 0" | "exit" | "echo ok" | "echo");
    let only = !last.contains("&&") && succeeds(last_choice);
    only || last_choice.starts_with("echo ") && !last_choice.contains("exit")
}
