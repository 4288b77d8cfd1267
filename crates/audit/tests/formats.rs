//! Every format, over the same projects, as pictures that are compared: what a reader of that format gets to see.
//!
//! `SEAWORTHY_BLESS=1` draws them anew.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "code of tests")]

use std::fs;
use std::path::{Path, PathBuf};

use seaworthy_audit::baseline::{Baseline, baseline};
use seaworthy_audit::report::{Checked, Overlay, Report, Standard, Unchecked};
use seaworthy_audit::{Given, Review, Threshold, Written, check, review};
use seaworthy_project::fixture::{FOLDER, try_load};

const COMPOSE: &str = "\
services:
  web:
    image: shop:1.4
    privileged: true # the <scanner> & \"co\" need it
    # seaworthy:ignore published-ssh-port the team's own way in
    ports: [\"2222:22\"]
    environment:
      # seaworthy:ignore literal-credential only until the vault is there until=2026-01-31
      API_TOKEN: q8Zk-2vNw-77Lp
  db:
    image: postgres:latest
    environment:
      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:-hunter2}
";
const POLICY: &str = "\
waivers:
  - rule: moving-tag
    service: db
    reason: the image is our own | *really*
  - rule: wildcard-origin
    reason: nobody needs this any more
severity:
  missing-log-rotation: info
require:
  labels: [team]
";
const OVERLAY: &str = "x-seaworthy:\n  overlay: true\nservices:\n  web:\n    init: true\n";

fn reviewed(baseline: Option<&Baseline>) -> Review {
    let loaded = try_load(&[("shop/compose.yaml", COMPOSE), ("compose.yaml", COMPOSE)]);
    let project = loaded.project.unwrap();
    let given = Given {
        policy: Some(Written { path: Path::new("shop/seaworthy.policy.yaml"), text: POLICY }),
        compose_lint: None,
        baseline,
        today: jiff::civil::date(2026, 11, 21),
        name: "shop",
        root: Path::new(FOLDER),
    };
    let review = review(&project, check(&project), &given);
    assert!(review.problems.is_empty(), "{:?}", review.problems);
    review
}

fn report() -> Report {
    let known =
        try_load(&[("compose.yaml", &COMPOSE.replace("privileged: true", "tty: true"))]).project.unwrap();
    let mut findings = Review::plain(&check(&known), &known);
    findings.name = "shop".to_owned();
    findings.items.retain(|item| item.finding.rule.id == "missing-limits");
    let known = Baseline::read(&baseline(&[&findings])).unwrap();
    let overlay = Overlay { path: PathBuf::from("compose.production.yaml"), text: Some(OVERLAY.to_owned()) };
    let broken = try_load(&[("compose.yaml", "services:\n  web:\n    imaeg: x\n    image: x\n")]);
    Report {
        checked: vec![Checked {
            review: reviewed(Some(&known)),
            threshold: Threshold::default(),
            overlay: Some(overlay),
        }],
        unchecked: vec![Unchecked {
            name: "broken".to_owned(),
            problems: broken.problems,
            sources: broken.sources,
            partly: false,
        }],
        by: None,
    }
}

#[track_caller]
fn compare(name: &str, drawn: &str) {
    assert!(!drawn.contains("q8Zk") && !drawn.contains("hunter2"), "no secret shows in {name}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats").join(name);
    if std::env::var_os("SEAWORTHY_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, drawn).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(drawn, expected, "{name}: look at the difference; `SEAWORTHY_BLESS=1` accepts it");
}

/// The list of all rules grows with every rule; the picture keeps the ones that found something.
fn without_silent_rules(sarif: &str) -> serde_json::Value {
    let mut value: serde_json::Value = serde_json::from_str(sarif).unwrap();
    let used: Vec<serde_json::Value> = value["runs"][0]["results"].as_array().unwrap().to_vec();
    let rules = value["runs"][0]["tool"]["driver"]["rules"].as_array_mut().unwrap();
    rules.retain(|rule| used.iter().any(|result| result["ruleId"] == rule["id"]));
    for result in value["runs"][0]["results"].as_array_mut().unwrap() {
        result["ruleIndex"] = "its place in the list of all rules".into();
    }
    value
}

#[test]
fn each_format_says_the_same() {
    let report = report();
    compare("report.txt", &report.text(false));
    compare("report.json", &report.json());
    compare("report.github", &report.github());
    compare("report.codeclimate.json", &report.codeclimate());
    compare("report.md", &report.markdown());
    compare("report.html", &report.html());
    let sarif = serde_json::to_string_pretty(&without_silent_rules(&report.sarif("1.2.3"))).unwrap();
    compare("report.sarif", &(sarif + "\n"));
    let junit: String = report.junit();
    let silent = |line: &&str| line.contains("<testcase") && line.ends_with("/>");
    let shown: String = junit.lines().filter(|line| !silent(line)).map(|line| format!("{line}\n")).collect();
    let counts = ["tests="].map(|key| junit.matches(key).count());
    assert_eq!(counts, [3]);
    compare("report.junit.xml", &without_counts(&shown));
}

/// The number of tests is the number of rules, which grows.
fn without_counts(text: &str) -> String {
    let line = |line: &str| match (line.split_once("tests=\""), line.trim_start().starts_with("<testsuite")) {
        (Some((before, after)), true) => {
            format!("{before}tests=\"…{}\n", after.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn each_standard_is_told_in_each_format_that_can() {
    for (name, standard) in [("cis", Standard::Cis), ("owasp", Standard::Owasp)] {
        let report = Report { by: Some(standard), ..report() };
        compare(&format!("{name}.txt"), &report.text(false));
        compare(&format!("{name}.md"), &report.markdown());
        compare(&format!("{name}.html"), &report.html());
    }
}

#[test]
fn a_project_with_nothing_left_open_says_so() {
    let clean = Report {
        checked: vec![Checked {
            review: Review { items: Vec::new(), unused: Vec::new(), ..reviewed(None) },
            threshold: Threshold::default(),
            overlay: None,
        }],
        ..Report::default()
    };
    assert!(clean.text(false).starts_with("Nothing found"));
    assert!(!clean.fails() && clean.github().is_empty());
    assert_eq!(clean.codeclimate(), "[]\n");
    assert!(clean.junit().contains("failures=\"0\"") && !clean.junit().contains("<failure"));
}

/// What the schema of SARIF 2.1.0 asks for where we write something; the whole schema is too large to carry.
#[test]
fn the_sarif_holds_together() {
    let value: serde_json::Value = serde_json::from_str(&report().sarif("1.2.3")).unwrap();
    assert_eq!(value["version"], "2.1.0");
    let run = &value["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let mut ids: Vec<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    // The last one joins what is merely absent.
    assert_eq!(ids.len(), seaworthy_audit::RULES.len() + seaworthy_audit::COMPANY_RULES.len() + 1);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rules.len(), "each rule once");
    assert_eq!(run["invocations"][0]["executionSuccessful"], false, "a file was not read");
    let results = run["results"].as_array().unwrap();
    assert!(results.len() > 8);
    let bases = run["originalUriBaseIds"].as_object().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.starts_with('/') && !uri.contains(' '), "{uri}");
        assert!(bases.contains_key(place["artifactLocation"]["uriBaseId"].as_str().unwrap()));
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
        assert_eq!(result["partialFingerprints"]["seaworthyIdentity/v1"].as_str().unwrap().len(), 32);
        for suppression in result["suppressions"].as_array().into_iter().flatten() {
            assert!(["inSource", "external"].contains(&suppression["kind"].as_str().unwrap()));
            assert!(["accepted", "rejected"].contains(&suppression["status"].as_str().unwrap()));
            assert!(!suppression["justification"].as_str().unwrap().is_empty());
        }
        for change in result["fixes"].as_array().into_iter().flatten() {
            let change = &change["artifactChanges"][0];
            assert_eq!(change["artifactLocation"]["uri"], "compose.production.yaml");
            assert!(change["replacements"][0]["deletedRegion"]["startLine"].as_u64().unwrap() >= 1);
        }
    }
    let states: Vec<&str> =
        results.iter().filter_map(|result| result["suppressions"][0]["status"].as_str()).collect();
    assert!(states.contains(&"accepted") && states.contains(&"rejected"), "{states:?}");
    assert!(results.iter().any(|result| result["fixes"].is_array()));
}
