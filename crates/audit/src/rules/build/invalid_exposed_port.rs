//! A port is a number up to 65535.

use crate::dockerfile::Keyword;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "invalid-exposed-port",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Build,
    summary: "exposed port is none",
    why: "The builder refuses it, or ignores it, and nobody finds the program on the port that was meant.",
    fix: "Write a number from 1 to 65535, and `/udp` behind it where it is not TCP.",
    bad: "FROM debian:13-slim\nEXPOSE 80800\n",
    good: "FROM debian:13-slim\nEXPOSE 8080\n",
    more: &[],
    references: &["Dockerfile reference"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in &context.build_files {
        for word in file.of(Keyword::Expose).flat_map(|(_, step)| &step.words) {
            if !word.text.contains('$') && !is_port(&word.text) {
                let message = format!("`{}` is no port.", word.text);
                file.report(findings, word.span, &word.text, message);
            }
        }
    }
}

fn is_port(text: &str) -> bool {
    let (numbers, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let number = |text: &str| text.parse::<u16>().ok().filter(|number| *number > 0);
    let ordered = number(first).zip(number(last)).is_some_and(|(first, last)| first <= last);
    ordered && ["tcp", "udp", "sctp"].iter().any(|known| protocol.eq_ignore_ascii_case(known))
}
