//! Two writers in one folder destroy it.

use seaworthy_catalog::Kind;

use crate::{Context, EditValue, Findings, Fix, Group, Level, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "scaled-datastore",
    severity: Severity::High,
    grades: &[],
    group: Group::Data,
    summary: "datastore runs more than once on one volume",
    why: "Replicas of a service share its volumes. Most databases refuse to start on a folder that is in use, and those that do \
          not corrupt it.",
    fix: "Run one replica; to scale reading, set up replication as the database describes it, with a volume each.",
    bad: "services:\n  db:\n    image: postgres:17\n    deploy:\n      replicas: 2\n",
    good: "services:\n  db:\n    image: postgres:17\n    deploy:\n      replicas: 1\n",
    more: &[],
    references: &["Compose Deploy Specification, replicas"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.running() {
        let Some(replicas) = service.deploy.replicas.as_ref().filter(|replicas| replicas.value > 1) else {
            continue;
        };
        let writes = service
            .known
            .is_some_and(|image| matches!(image.kind, Kind::Datastore | Kind::Queue | Kind::Search));
        if writes {
            let message =
                format!("`{}` would run {} times on the same data.", service.name.value, replicas.value);
            let edit = service.edit(&["deploy", "replicas"], EditValue::plain(1));
            let finding = findings.report(service.place(&["deploy", "replicas"]), replicas.span, message);
            finding.fix(Fix::new(Level::BehaviourChanging, vec![edit]));
        }
    }
}
