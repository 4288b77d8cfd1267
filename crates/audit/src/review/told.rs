//! What is told of a review: what is merely absent is one finding, with each service and what it lacks.

use std::borrow::Cow;

use super::{Review, Reviewed, Standing};
use crate::{Confidence, Finding, Grade, Group, Place, Rule, Severity};

/// How all that is merely absent is told. Its parts are found, waived, fixed and known by rules of their own.
pub const ABSENT: Rule = Rule {
    id: "absent-hardening",
    severity: Severity::Medium,
    grades: &[WORSE, LESS],
    group: Group::Security,
    summary: "services lack what production asks for",
    why: "A Compose file for development says nothing of limits, health checks, restarts and rights, so every service lacks all \
          of them. That is one fault with one cause, and one patch mends most of it; told for each service and rule it would \
          bury what somebody did wrong.",
    fix: "`seaworthy harden` writes what is known to work. What may stay away is waived by the rule of that part, such as \
          `missing-limits`, at its service.",
    bad: "services:\n  web:\n    image: shop:1.4\n",
    good: "services:\n  web:\n    image: shop:1.4\n    user: \"10001:10001\"\n    read_only: true\n    tmpfs: [/tmp]\n    \
           cap_drop: [ALL]\n    security_opt: [\"no-new-privileges:true\"]\n    restart: unless-stopped\n    logging:\n      \
           driver: json-file\n      options: { max-size: 10m, max-file: \"3\" }\n    deploy:\n      resources:\n        \
           limits:\n          memory: 512M\n          cpus: \"1.0\"\n          pids: 100\n    x-seaworthy:\n      \
           probe: { ready: \"GET /ready\" }\n",
    more: &[],
    references: &["CIS Docker 1.6, 5", "OWASP Docker Security Cheat Sheet, rules 2, 3, 4, 7, 8, 10"],
    check: |_, _| {},
};

const WORSE: Grade = Grade::new(
    Severity::High,
    "where one of its parts is, such as no health check for a service that requests from outside go to",
);
const LESS: Grade = Grade::new(Severity::Low, "where all its parts are, such as logs that are never rotated");

/// Fewer parts than this are told by themselves.
const LEAST_PARTS: usize = 2;

/// What is merely absent in a project, as one finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Absent<'review> {
    /// All of it.
    pub whole: Reviewed,
    /// What it consists of, worst first.
    pub parts: Vec<&'review Reviewed>,
}

impl Review {
    /// What is merely absent and counts, where that is more than one thing.
    pub fn absent(&self) -> Option<Absent<'_>> {
        let parts: Vec<&Reviewed> = self.items.iter().filter(|item| item.is_absence()).collect();
        (parts.len() >= LEAST_PARTS).then(|| Absent { whole: whole(&parts), parts })
    }

    /// What is told, worst first: all items, what is merely absent as one.
    pub fn told(&self) -> Vec<Cow<'_, Reviewed>> {
        let Some(absent) = self.absent() else { return self.items.iter().map(Cow::Borrowed).collect() };
        let mut whole = Some(absent.whole);
        let one = |item| match (Reviewed::is_absence(item), &mut whole) {
            (false, _) => Some(Cow::Borrowed(item)),
            (true, whole) => whole.take().map(Cow::Owned),
        };
        self.items.iter().filter_map(one).collect()
    }

    /// What is told and counts, worst first.
    pub fn told_counted(&self) -> impl Iterator<Item = Cow<'_, Reviewed>> {
        self.told().into_iter().filter(|item| item.counts())
    }

    /// How much of that severity is told and counts.
    pub fn count(&self, severity: Severity) -> usize {
        self.told_counted().filter(|item| item.finding.severity == severity).count()
    }
}

impl Reviewed {
    /// Whether it is part of what is merely absent. What has a decision of its own is told by itself.
    pub(crate) fn is_absence(&self) -> bool {
        self.standing == Standing::Open && self.finding.absent.is_some()
    }
}

/// The services that lack something with their parts, in the order written.
pub(crate) fn by_service<'review>(parts: &[&'review Reviewed]) -> Vec<(String, Vec<&'review Finding>)> {
    let mut services: Vec<(String, Vec<&Finding>)> = Vec::new();
    for part in parts {
        let of =
            part.finding.place.service.as_ref().map_or_else(|| "the project".to_owned(), ToString::to_string);
        match services.iter_mut().find(|(name, _)| *name == of) {
            Some((_, findings)) => findings.push(&part.finding),
            None => services.push((of, vec![&part.finding])),
        }
    }
    services.sort_by_key(|(_, findings)| findings.iter().map(|finding| finding.span).min());
    services
}

/// What one part says is lacking.
pub(crate) fn lacking(finding: &Finding) -> String {
    if finding.points.is_empty() {
        return finding.absent.clone().unwrap_or_default();
    }
    let quoted =
        |points: &[String]| points.iter().map(|point| format!("`{point}`")).collect::<Vec<_>>().join(", ");
    let points: Vec<String> = finding.points.iter().map(ToString::to_string).collect();
    match finding.waived.as_slice() {
        [] => quoted(&points),
        waived => format!("{} (waived: {})", quoted(&points), quoted(waived)),
    }
}

/// Joins the parts, of which there is one at least.
fn whole(parts: &[&Reviewed]) -> Reviewed {
    let first = &parts[0].finding;
    let services = by_service(parts);
    let lacks: Vec<String> = services
        .iter()
        .map(|(service, findings)| {
            let lacking: Vec<String> = findings.iter().map(|finding| lacking(finding)).collect();
            format!("`{service}` lacks {}", lacking.join(", "))
        })
        .collect();
    let mut rules: Vec<&'static str> = parts.iter().map(|part| part.finding.rule.id).collect();
    rules.sort_unstable();
    rules.dedup();
    let named: Vec<String> = rules.iter().map(|rule| format!("`{rule}`")).collect();
    let related = parts[1..].iter().map(|part| (part.finding.span, part.finding.message.clone()));
    let of = |finding: &Finding| finding.place.service.clone();
    let service = of(first).filter(|_| parts.iter().all(|part| of(&part.finding) == of(first)));
    let path = service.as_ref().map(|service| vec!["services".to_owned(), service.to_string()]);
    let finding = Finding {
        rule: &ABSENT,
        severity: parts.iter().map(|part| part.finding.severity).max().unwrap_or(ABSENT.severity),
        confidence: parts.iter().map(|part| part.finding.confidence).max().unwrap_or(Confidence::Certain),
        place: Place { service, path: path.unwrap_or_default() },
        evidence: None,
        span: first.span,
        related: related.collect(),
        message: format!("{}.", lacks.join("; ")),
        points: Vec::new(),
        help: format!(
            "`seaworthy harden` writes what is known to work. What may stay away is waived by its own rule: {}.",
            named.join(", ")
        ),
        fixes: parts.iter().flat_map(|part| part.finding.fixes.iter().cloned()).collect(),
        mends: parts.iter().flat_map(|part| part.finding.mends.iter().cloned()).collect(),
        snippet: None,
        absent: None,
        waived: Vec::new(),
    };
    Reviewed { finding, standing: Standing::Open }
}
