//! A setting that looks dangerous and does nothing hides those that do something.

use crate::{Context, EditValue, Example, Findings, Fix, Group, Level, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "inert-host-namespace",
    severity: Severity::Info,
    grades: &[],
    group: Group::Security,
    summary: "host's names or users are shared, which does nothing at the engine's defaults",
    why: "`uts: host` shows the service the host's name; without `SYS_ADMIN` it cannot change it. `userns_mode: host` only counts \
          where the engine maps users to others, which it does not by default. On an engine that does, it gives the protection \
          up, and nobody will remember why.",
    fix: "Remove the line.",
    bad: "services:\n  web:\n    image: shop:1.4\n    uts: host\n",
    good: "services:\n  web:\n    image: shop:1.4\n    hostname: shop\n",
    more: &[Example {
        of: "the host's users",
        bad: "services:\n  web:\n    image: shop:1.4\n    userns_mode: host\n",
        good: "services:\n  web:\n    image: shop:1.4\n    user: \"10001:10001\"\n",
    }],
    references: &["CIS Docker 1.6, 5.21, 5.31"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for (key, what, breaks) in [
            ("uts", "name", "A program that shows the host's name shows another one."),
            (
                "userns_mode",
                "users",
                "On an engine that maps users, files of the host belong to others then.",
            ),
        ] {
            if let Some(node) = service.node.get(key).filter(|node| node.text() == Some("host")) {
                let message = format!(
                    "`{}` shares the {what} of the host, which does nothing at the engine's defaults.",
                    service.name.value
                );
                let edit = service.edit(&[key], EditValue::Reset);
                let fix = Fix::new(Level::BehaviourChanging, vec![edit]).may_break(breaks);
                findings.report(service.place(&[key]), node.span, message).fix(fix);
            }
        }
    }
}
