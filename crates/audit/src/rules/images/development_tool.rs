//! Tools for developers are doors in production.

use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "development-tool",
    severity: Severity::Medium,
    group: Group::Images,
    summary: "a tool for development runs in production",
    why: "A database browser or a mail catcher gives whoever reaches it the data, or swallows mail that customers wait for.",
    fix: "Give the service a profile, such as `profiles: [development]`, in the base file.",
    bad: "services:\n  adminer:\n    image: adminer:5.3.0\n",
    good: "services:\n  adminer:\n    image: adminer:5.3.0\n    profiles: [development]\n  web:\n    image: shop:1.4\n",
    references: &["CIS Docker 1.6, 4.3"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let (Some(known), Some(image)) = (service.known, &service.image) else { continue };
        if known.development_tool {
            let message = format!("`{}` runs {}, a tool for development.", service.name.value, known.title);
            let severity = if service.is_reachable() { Severity::High } else { Severity::Medium };
            findings.report(service.place(&["image"]), image.span, message).severity(severity);
        }
    }
}
