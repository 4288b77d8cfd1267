//! Tools for developers are doors in production.

use crate::{Context, Example, Findings, Grade, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "development-tool",
    severity: Severity::Medium,
    grades: &[REACHED],
    group: Group::Images,
    summary: "a tool for development runs in production",
    why: "A database browser or a mail catcher gives whoever reaches it the data, or swallows mail that customers wait for.",
    fix: "Give the service a profile, such as `profiles: [development]`, in the base file.",
    bad: "services:\n  adminer:\n    image: adminer:5.3.0\n",
    good: "services:\n  adminer:\n    image: adminer:5.3.0\n    profiles: [development]\n  web:\n    image: shop:1.4\n",
    more: &[Example {
        of: "one that can be reached from outside",
        bad: "services:\n  adminer:\n    image: adminer:5.3.0\n    ports: [\"8080:8080\"]\n",
        good: "services:\n  adminer:\n    image: adminer:5.3.0\n    ports: [\"8080:8080\"]\n    profiles: \
                   [development]\n  web:\n    image: shop:1.4\n",
    }],
    references: &["CIS Docker 1.6, 4.3"],
    check,
};

const REACHED: Grade = Grade::new(
    Severity::High,
    "where the service can be reached from outside: by a route, or by a port published beyond the machine",
);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let (Some(known), Some(image)) = (service.known, &service.image) else { continue };
        if known.development_tool {
            let message = format!("`{}` runs {}, a tool for development.", service.name.value, known.title);
            let finding = findings.report(service.place(&["image"]), image.span, message);
            if service.is_reachable() {
                finding.grade(REACHED);
            }
        }
    }
}
