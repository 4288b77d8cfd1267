//! What a service does not need, it should not have: one finding per service for all that is absent.

mod fixes;

use seaworthy_catalog::RunsAs;

use super::super::build::root_in_image::speaks_for;
use super::weakened_base::told_as_lost;
use crate::{Confidence, Context, Findings, Group, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "missing-hardening",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Security,
    summary: "service keeps rights it does not need",
    why: "By default a container may write its own programs, hold fourteen capabilities, gain more through setuid programs, \
          start any number of processes, and often is root. None of this matters until someone gets in; then all of it does.",
    fix: "Give it a user that is not root, `read_only: true` with `tmpfs` for what it must write, `cap_drop: [ALL]`, \
          `security_opt: [\"no-new-privileges:true\"]` and a limit of processes.",
    bad: "services:\n  web:\n    image: shop:1.4\n",
    good: "services:\n  web:\n    image: shop:1.4\n    user: \"10001:10001\"\n    read_only: true\n    tmpfs: [/tmp]\n    \
           cap_drop: [ALL]\n    security_opt: [\"no-new-privileges:true\"]\n    deploy:\n      resources:\n        \
           limits:\n          pids: 100\n",
    more: &[],
    references: &[
        "CIS Docker 1.6, 4.1, 5.4, 5.13, 5.26, 5.29",
        "OWASP Docker Security Cheat Sheet, rules 2, 3, 4, 7, 8",
    ],
    check,
};

/// A right that a service keeps. The text is the point's name.
pub(super) const USER: &str = "user";
pub(super) const READ_ONLY: &str = "read_only";
pub(super) const CAP_DROP: &str = "cap_drop";
pub(super) const NO_NEW_PRIVILEGES: &str = "no-new-privileges";
pub(super) const PIDS: &str = "pids";

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let lost = told_as_lost(context, &service);
        let mut points = points(context, &service);
        points.retain(|point| !lost.contains(point));
        if points.is_empty() {
            continue;
        }
        let words: Vec<&str> = points.iter().map(|point| in_words(point)).collect();
        let message =
            format!("`{}` keeps rights it does not need: {}.", service.name.value, words.join(", "));
        let finding = findings.report(service.place(&[]), service.name.span, message);
        for point in &points {
            finding.fix(fixes::fix(&service, point));
        }
        finding.help(help(&points));
        if points == [USER] && service.known.is_none() {
            finding.confidence(Confidence::Possible);
        }
        finding.points(points).absent("hardening");
    }
}

fn points(context: &Context<'_>, service: &Subject<'_>) -> Vec<&'static str> {
    let runs_as = service.known.and_then(|image| image.user.as_ref()).map(|user| user.runs_as);
    // What its Dockerfile says of the user, it is told there.
    let is_told = context
        .build_of(&service.name.value)
        .is_some_and(|(file, build)| build.is_safe_user(file) || speaks_for(file, build));
    let may_be_root =
        service.user.is_none() && !is_told && !matches!(runs_as, Some(RunsAs::NonRoot | RunsAs::Drops));
    let writable = !service.read_only.as_ref().is_some_and(|read_only| read_only.value);
    let keeps = !service.cap_drop.iter().any(|dropped| dropped.value.eq_ignore_ascii_case("all"));
    let gains = !service.security_opt.iter().any(|option| bars_new_privileges(&option.value));
    let old_limit = service.node.get("pids_limit").and_then(|limit| limit.text()?.parse::<i64>().ok());
    let limit = service.deploy.limits.pids.as_ref().map(|pids| pids.value).or(old_limit);
    let unlimited = limit.is_none_or(|limit| limit <= 0);
    let all = [
        (may_be_root, USER),
        (writable, READ_ONLY),
        (keeps, CAP_DROP),
        (gains, NO_NEW_PRIVILEGES),
        (unlimited, PIDS),
    ];
    all.into_iter().filter(|(absent, _)| *absent).map(|(_, point)| point).collect()
}

/// Whether an option of `security_opt` keeps a service from gaining privileges.
pub(super) fn bars_new_privileges(option: &str) -> bool {
    matches!(option.replace('=', ":").as_str(), "no-new-privileges" | "no-new-privileges:true")
}

fn in_words(point: &str) -> &'static str {
    match point {
        USER => "nothing says it is not root",
        READ_ONLY => "it may write its own programs",
        CAP_DROP => "it keeps the default capabilities",
        NO_NEW_PRIVILEGES => "it may gain privileges",
        _ => "it may start any number of processes",
    }
}

fn help(points: &[&str]) -> String {
    let keys: Vec<&str> = points
        .iter()
        .map(|point| match *point {
            USER => "`user` (or `USER` in its Dockerfile)",
            READ_ONLY => "`read_only: true` with `tmpfs`",
            CAP_DROP => "`cap_drop: [ALL]`",
            NO_NEW_PRIVILEGES => "`security_opt: [\"no-new-privileges:true\"]`",
            _ => "`deploy.resources.limits.pids`",
        })
        .collect();
    format!("Add {}.", keys.join(", "))
}
