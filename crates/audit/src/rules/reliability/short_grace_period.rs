//! What keeps data needs time to put it away.

use std::time::Duration;

use seaworthy_catalog::Kind;

use crate::{Context, EditValue, Findings, Fix, Group, Level, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "short-grace-period",
    severity: Severity::Low,
    grades: &[],
    group: Group::Reliability,
    summary: "datastore is killed 10 seconds after it is asked to stop",
    why: "A database writes its memory to disk when it stops. Killed in the middle, it has to recover at the next start, which \
          takes longer than stopping would have.",
    fix: "Add `stop_grace_period: 1m`.",
    bad: "services:\n  db:\n    image: postgres:17\n",
    good: "services:\n  db:\n    image: postgres:17\n    stop_grace_period: 1m\n",
    more: &[],
    references: &["Compose Specification, stop_grace_period"],
    check,
};

/// What the engine waits when nothing is said; shorter was chosen by somebody.
const ENOUGH: Duration = Duration::from_secs(10);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.running() {
        let given = service.stop_grace_period.as_ref().map(|given| (given.value, given.span));
        if given.is_some_and(|(time, _)| time >= ENOUGH) {
            continue;
        }
        let keeps = service
            .known
            .is_some_and(|image| matches!(image.kind, Kind::Datastore | Kind::Queue | Kind::Search));
        if keeps {
            let seconds = given.map_or(ENOUGH.as_secs(), |(time, _)| time.as_secs());
            let message =
                format!("`{}` is killed {seconds} s after it is asked to stop.", service.name.value);
            let span = given.map_or(service.name.span, |(_, span)| span);
            // A time that somebody chose is theirs to change.
            let level = if given.is_some() { Level::BehaviourChanging } else { Level::Safe };
            let edit = service.edit(&["stop_grace_period"], EditValue::text("1m"));
            let place = service.place(&["stop_grace_period"]);
            findings.report(place, span, message).fix(Fix::new(level, vec![edit]));
        }
    }
}
