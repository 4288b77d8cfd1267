//! What keeps data needs time to put it away.

use seaworthy_catalog::Kind;

use crate::{Context, EditValue, Findings, Fix, Group, Level, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "short-grace-period",
    severity: Severity::Low,
    group: Group::Reliability,
    summary: "datastore is killed 10 seconds after it is asked to stop",
    why: "A database writes its memory to disk when it stops. Killed in the middle, it has to recover at the next start, which \
          takes longer than stopping would have.",
    fix: "Add `stop_grace_period: 1m`.",
    bad: "services:\n  db:\n    image: postgres:17\n",
    good: "services:\n  db:\n    image: postgres:17\n    stop_grace_period: 1m\n",
    references: &["Compose Specification, stop_grace_period"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.running().filter(|service| service.stop_grace_period.is_none()) {
        let keeps = service
            .known
            .is_some_and(|image| matches!(image.kind, Kind::Datastore | Kind::Queue | Kind::Search));
        if keeps {
            let message = format!("`{}` is killed 10 s after it is asked to stop.", service.name.value);
            let edit = service.edit(&["stop_grace_period"], EditValue::text("1m"));
            let place = service.place(&["stop_grace_period"]);
            findings.report(place, service.name.span, message).fix(Fix::new(Level::Safe, vec![edit]));
        }
    }
}
