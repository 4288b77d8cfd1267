//! Started is not ready.

use seaworthy_project::model::dependency::Condition;

use super::missing_healthcheck::has_test;
use crate::{Context, EditValue, Findings, Fix, Group, Level, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "unguarded-dependency",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Reliability,
    summary: "service starts before what it depends on is ready",
    why: "The short form of `depends_on` waits until the other container has started, not until it can answer. After a \
          reboot the dependant meets a database that is still recovering, and fails.",
    fix: "Write `condition: service_healthy` for the dependency, and give it a health check if it has none.",
    bad: "services:\n  web:\n    image: shop:1.4\n    depends_on: [db]\n  db:\n    image: postgres:17\n    healthcheck:\n      \
          test: pg_isready\n",
    good: "services:\n  web:\n    image: shop:1.4\n    depends_on:\n      db:\n        condition: service_healthy\n  db:\n    \
           image: postgres:17\n    healthcheck:\n      test: pg_isready\n",
    more: &[],
    references: &["Compose Specification, depends_on"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for dependency in service.depends_on.iter().filter(|dependency| !dependency.explicit) {
            let name = &dependency.service.value;
            let Some(target) = context.find(name).filter(|target| !target.is_job) else { continue };
            // Compose has no word for a probe from outside; the rollout waits for it anyway.
            let probed_only = !has_test(&target) && target.settings.probe.ready.is_some();
            if dependency.condition != Condition::Started || probed_only {
                continue;
            }
            let path = ["depends_on", name.as_str(), "condition"];
            let edit = service.edit(&path, EditValue::text("service_healthy"));
            let message = format!("`{}` does not wait until `{name}` is ready.", service.name.value);
            let finding = findings.report(service.place(&path[..2]), dependency.service.span, message);
            finding.related(target.name.span, "this has to be ready first");
            finding.absent(format!("a condition for `{name}`"));
            if has_test(&target) {
                finding.fix(Fix::new(Level::Safe, vec![edit]));
            } else {
                finding
                    .help(format!("Give `{name}` a health check, then write `condition: service_healthy`."));
            }
        }
    }
}
