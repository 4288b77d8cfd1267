//! Nothing that serves requests needs to be root.

use seaworthy_catalog::RunsAs;

use crate::build_file::is_root;
use crate::{Context, EditValue, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "root-user",
    severity: Severity::High,
    grades: &[],
    group: Group::Security,
    summary: "service is told to run as root",
    why: "A process that is root inside needs one mistake of the kernel or one careless mount to be root outside.",
    fix: "Give it a user of its own, by number, that owns the folders it writes: `user: \"10001:10001\"`.",
    bad: "services:\n  web:\n    image: shop:1.4\n    user: \"0:0\"\n",
    good: "services:\n  web:\n    image: shop:1.4\n    user: \"10001:10001\"\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.1", "OWASP Docker Security Cheat Sheet, rule 2"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let drops = service
            .known
            .and_then(|image| image.user.as_ref())
            .is_some_and(|user| user.runs_as == RunsAs::Drops);
        if let Some(user) = service.user.as_ref().filter(|user| is_root(&user.value) && !drops) {
            let message = format!("`{}` is told to run as root.", service.name.value);
            let example = service.edit(&["user"], EditValue::text("10001:10001"));
            findings.report(service.place(&["user"]), user.span, message).snippet(&[example]);
        }
    }
}
