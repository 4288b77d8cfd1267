//! Software that gets no fixes keeps its holes.

use seaworthy_catalog::Kind;

use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "end-of-life-image",
    severity: Severity::High,
    grades: &[],
    group: Group::Images,
    summary: "image is of a series that gets no fixes any more",
    why: "Holes found after the last release of a series stay open for ever, and everybody can read about them.",
    fix: "Move to a series that is maintained; for a database, dump and restore or follow its upgrade guide.",
    bad: "services:\n  db:\n    image: postgres:11\n",
    good: "services:\n  db:\n    image: postgres:17\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.4", "OWASP Docker Security Cheat Sheet, rule 0"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let (Some(known), Some(reference), Some(image)) =
            (service.known, service.reference(), &service.image)
        else {
            continue;
        };
        let Some(ended) = known.ended(&reference) else { continue };
        let message = format!("{} {} gets no fixes since {}.", known.title, ended.series, ended.since);
        let finding = findings.report(service.place(&["image"]), image.span, message);
        if known.kind == Kind::Datastore {
            finding.help(
                "move to a maintained series: back up first, then follow the upgrade guide of the database.",
            );
        }
    }
}
