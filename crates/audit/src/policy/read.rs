//! Reads a policy file: every mistake in it is a problem with its place.

use std::path::PathBuf;

use seaworthy_project::{Entry, FileId, Node, Problem, ProblemKind, Sources, read_tree};

use super::{Policy, Threshold};
use crate::waiver::{day, names, rule, unknown_rule, without_reason};
use crate::{Origin, Reach, Severity, Waiver};

/// The version of the form.
const VERSION: &str = "1";
const TOP: [&str; 6] = ["version", "fail_on", "waivers", "severity", "require", "environments"];
const IN_ENVIRONMENT: [&str; 4] = ["fail_on", "waivers", "severity", "require"];
const IN_WAIVER: [&str; 5] = ["rule", "service", "file", "reason", "until"];
const IN_REQUIRE: [&str; 2] = ["labels", "registries"];
const WAIVER_HINT: &str = "write who decided and why: `reason: the vendor publishes no versions`";

pub(super) fn read(file: FileId, sources: &Sources, environment: &str) -> (Policy, Vec<Problem>) {
    let top = match read_tree(file, sources) {
        Ok(Some(top)) => top,
        Ok(None) => return (Policy::default(), Vec::new()),
        Err(problems) => return (Policy::default(), problems),
    };
    let mut reader = Reader { policy: Policy::default(), problems: Vec::new() };
    reader.keys(&top, "the policy", &TOP);
    if let Some(version) = top.get("version")
        && version.text() != Some(VERSION)
    {
        reader.wrong(version, "This version of a policy is not known.", "write `version: 1`");
    }
    reader.section(&top, true);
    for entry in reader.map(&top, "environments") {
        reader.keys(&entry.node, "an environment", &IN_ENVIRONMENT);
        // All are read, so that a mistake shows before the day it matters.
        let counts = is_same_environment(&entry.key.value, environment);
        reader.section(&entry.node, counts);
    }
    (reader.policy, reader.problems)
}

/// `prod` and `production` are one, and so on, as for overlays.
fn is_same_environment(one: &str, other: &str) -> bool {
    let canonical = |name: &str| {
        match name {
            "prod" => "production",
            "dev" => "development",
            "stage" => "staging",
            name => name,
        }
        .to_owned()
    };
    canonical(one) == canonical(other)
}

struct Reader {
    policy: Policy,
    problems: Vec<Problem>,
}

impl Reader {
    /// Reads what may stand at the top and in an environment. What does not count is read for its mistakes.
    fn section(&mut self, node: &Node, counts: bool) {
        let kept = self.policy.clone();
        if let Some(threshold) = node.get("fail_on") {
            match threshold.text().and_then(Threshold::from_name) {
                Some(threshold) => self.policy.fail_on = Some(threshold),
                None => self.wrong(
                    threshold,
                    "This is no severity.",
                    "write critical, high, medium, low, info or never",
                ),
            }
        }
        for item in self.list(node, "waivers") {
            match self.waiver(&item) {
                Ok(waiver) => self.policy.waivers.push(waiver),
                Err(problem) => self.problems.extend(problem),
            }
        }
        for entry in self.map(node, "severity") {
            self.severity(&entry);
        }
        if let Some(require) = node.get("require") {
            self.keys(require, "`require`", &IN_REQUIRE);
            let labels = self.texts(require, "labels");
            let registries = self.texts(require, "registries");
            self.policy.labels.extend(labels);
            self.policy.registries.extend(registries);
        }
        if !counts {
            self.policy = kept;
        }
    }

    fn severity(&mut self, entry: &Entry) {
        let severity = entry.node.text().and_then(Severity::from_name);
        match (rule(&entry.key.value), severity) {
            (Some(rule), Some(severity)) => {
                self.policy.severities.retain(|(id, _)| *id != rule.id);
                self.policy.severities.push((rule.id, severity));
            }
            (None, _) => self.problems.push(unknown_rule(&entry.key.value, entry.key.span)),
            (_, None) => self.wrong(
                &entry.node,
                "This is no severity.",
                "write critical, high, medium, low or info; what may stay needs a waiver with a reason",
            ),
        }
    }

    /// One waiver; no problem where one was told already.
    fn waiver(&mut self, node: &Node) -> Result<Waiver, Option<Problem>> {
        let before = self.problems.len();
        self.keys(node, "a waiver", &IN_WAIVER);
        let text =
            |key: &str| node.get(key).and_then(Node::text).map(str::trim).filter(|text| !text.is_empty());
        let span = node.entries().first().map_or(node.span, |entry| entry.key.span);
        let Some(named) = text("rule") else {
            let problem = Problem::at(ProblemKind::Required, span, "The waiver names no rule.");
            return Err(Some(problem.hint("write `rule: moving-tag`; `seaworthy explain` lists all rules")));
        };
        let place = node.get("rule").map_or(span, |rule| rule.span);
        let (rules, points) = names(named, place).map_err(Some)?;
        let reason =
            text("reason").ok_or_else(|| Some(without_reason(named, place, WAIVER_HINT)))?.to_owned();
        let until = match node.get("until") {
            Some(until) => Some(day(until.text().unwrap_or_default(), until.span).map_err(Some)?),
            None => None,
        };
        if self.problems.len() > before {
            return Err(None);
        }
        let reach = Reach::Project {
            service: text("service").map(str::to_owned),
            file: text("file").map(PathBuf::from),
        };
        Ok(Waiver { rules, points, reach, reason, until, origin: Origin::Policy, span: place })
    }

    /// The items of a list; anything else is a problem.
    fn list(&mut self, node: &Node, key: &str) -> Vec<Node> {
        match node.get(key) {
            Some(list) if list.items().is_empty() && !list.is_null() && !is_empty_list(list) => {
                self.wrong(list, &format!("`{key}` is no list."), "begin each entry with `- `");
                Vec::new()
            }
            Some(list) => list.items().to_vec(),
            None => Vec::new(),
        }
    }

    fn map(&mut self, node: &Node, key: &str) -> Vec<Entry> {
        match node.get(key) {
            Some(map) if map.entries().is_empty() && !map.is_null() && !is_empty_map(map) => {
                self.wrong(map, &format!("`{key}` is no map."), "write each entry as `key: value`");
                Vec::new()
            }
            Some(map) => map.entries().to_vec(),
            None => Vec::new(),
        }
    }

    fn texts(&mut self, node: &Node, key: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for item in self.list(node, key) {
            match item.text() {
                Some(text) => texts.push(text.to_owned()),
                None => self.wrong(&item, "This is no text.", "write a name"),
            }
        }
        texts
    }

    fn keys(&mut self, node: &Node, what: &str, known: &[&str]) {
        if node.entries().is_empty() && !node.is_null() && !is_empty_map(node) {
            self.wrong(node, &format!("A map is expected for {what}."), "write each entry as `key: value`");
        }
        for entry in node.entries().iter().filter(|entry| !known.contains(&entry.key.value.as_str())) {
            let message = format!("`{}` is no key of {what}.", entry.key.value);
            let hint = format!("the keys are {}", known.join(", "));
            self.problems.push(Problem::at(ProblemKind::UnknownKey, entry.key.span, message).hint(hint));
        }
    }

    fn wrong(&mut self, node: &Node, message: &str, hint: &str) {
        self.problems.push(Problem::at(ProblemKind::InvalidValue, node.span, message).hint(hint));
    }
}

fn is_empty_list(node: &Node) -> bool {
    matches!(&node.value, seaworthy_project::Value::Sequence(items) if items.is_empty())
}

fn is_empty_map(node: &Node) -> bool {
    matches!(&node.value, seaworthy_project::Value::Mapping(entries) if entries.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str, environment: &str) -> Result<Policy, Vec<String>> {
        let mut sources = Sources::default();
        let file = sources.add(PathBuf::from("seaworthy.policy.yaml"), text.to_owned());
        let told = |problem: &Problem| {
            format!("{}: {}", problem.span.map_or(0, |span| span.start.line), problem.message)
        };
        match read(file, &sources, environment) {
            (policy, problems) if problems.is_empty() => Ok(policy),
            (_, problems) => Err(problems.iter().map(told).collect()),
        }
    }

    #[test]
    fn an_environment_lies_over_what_counts_everywhere() {
        let text = "version: 1\nfail_on: high\nwaivers:\n  - { rule: moving-tag, reason: a, until: 2027-01-31 }\nseverity: { moving-tag: low }\nrequire: { labels: [team], registries: [ghcr.io/acme] }\nenvironments:\n  prod:\n    fail_on: never\n    severity: { moving-tag: critical }\n    waivers:\n    - rule: privileged\n      service: dind\n      file: compose.yaml\n      reason: b\n";
        let production = read_text(text, "production").unwrap();
        assert_eq!(production.fail_on, Some(Threshold::Never));
        assert_eq!(production.severities, [("moving-tag", Severity::Critical)]);
        assert_eq!(production.waivers.len(), 2);
        assert_eq!(production.waivers[0].until, Some(jiff::civil::date(2027, 1, 31)));
        let reach =
            Reach::Project { service: Some("dind".to_owned()), file: Some(PathBuf::from("compose.yaml")) };
        assert_eq!(production.waivers[1].reach, reach);
        let staging = read_text(text, "staging").unwrap();
        assert_eq!((staging.waivers.len(), staging.fail_on), (1, Some(Threshold::At(Severity::High))));
        assert_eq!(
            (staging.labels, staging.registries),
            (vec!["team".to_owned()], vec!["ghcr.io/acme".to_owned()])
        );
        assert_eq!(read_text("# nothing yet\n", "production"), Ok(Policy::default()));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (text, expected) in [
            ("waivers:\n  - rule: moving-tag\n", "2: The waiver of `moving-tag` gives no reason."),
            ("waivers:\n  - reason: why\n", "2: The waiver names no rule."),
            ("waivers:\n  - { rule: moving-tags, reason: b }\n", "2: There is no rule `moving-tags`."),
            ("waivers: { rule: x }\n", "1: `waivers` is no list."),
            ("waivers:\n  - { rule: moving-tag, reason: b, untl: x }\n", "2: `untl` is no key of a waiver."),
            ("severity: { moving-tag: off }\n", "1: This is no severity."),
            ("fail_on: hihg\n", "1: This is no severity."),
            ("version: 2\n", "1: This version of a policy is not known."),
            ("environments:\n  staging:\n    fail_on: x\n", "3: This is no severity."),
            ("- a\n", "1: A map is expected for the policy."),
            ("a: [\n", "1: "),
        ] {
            let problems = read_text(text, "production").unwrap_err();
            assert!(
                problems.iter().any(|problem| problem.starts_with(expected) || expected == "1: "),
                "{text}: {problems:?}"
            );
        }
    }
}
