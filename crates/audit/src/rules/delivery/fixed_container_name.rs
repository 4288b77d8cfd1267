//! Two containers cannot have one name.

use crate::{Context, EditValue, Findings, Fix, Group, Level, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "fixed-container-name",
    severity: Severity::Low,
    grades: &[],
    group: Group::Delivery,
    summary: "fixed container name forbids a second instance",
    why: "The new instance cannot start beside the old one, so each deploy has a gap; the service cannot be scaled, and the same \
          project cannot run twice on a machine.",
    fix: "Drop it in production: `container_name: !reset null`. Other services reach it by its service name.",
    bad: "services:\n  web:\n    image: shop:1.4\n    container_name: shop\n",
    good: "services:\n  web:\n    image: shop:1.4\n",
    more: &[],
    references: &["Compose Specification, container_name"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.running() {
        if let Some(name) = &service.container_name {
            let message =
                format!("`{}` cannot run twice, because its container name is fixed.", service.name.value);
            let edit = service.edit(&["container_name"], EditValue::Reset);
            let fix = Fix::new(Level::BehaviourChanging, vec![edit])
                .may_break("Scripts that use the name do not find it.");
            findings.report(service.place(&["container_name"]), name.span, message).fix(fix);
        }
    }
}
