//! Every rule proves itself: its bad example has the finding, its good one does not.
#![expect(clippy::disallowed_methods, reason = "the test compares the registry with the folder")]

use std::collections::BTreeSet;
use std::path::Path;

use seaworthy_audit::{RULES, Rule, Severity, check, example_files, explain, list, reference_markdown};

#[test]
fn every_bad_example_is_found_and_every_good_one_is_not() {
    for rule in RULES {
        for (bad, good) in examples(rule) {
            let findings = check(&load_with(bad));
            let found: Vec<_> = findings.iter().filter(|finding| finding.rule == rule).collect();
            assert!(!found.is_empty(), "`{}` does not find its bad example:\n{bad}", rule.id);
            for finding in found {
                let lines = bad.lines().count() as u32;
                assert!(
                    (1..=lines).contains(&finding.span.start.line),
                    "`{}` points outside its example",
                    rule.id
                );
                assert!(
                    finding.message.ends_with('.') && !finding.help.is_empty(),
                    "`{}`: {}",
                    rule.id,
                    finding.message
                );
            }
            let good = check(&load_with(good));
            let left: Vec<_> =
                good.iter().filter(|finding| finding.rule == rule).map(|finding| &finding.message).collect();
            assert!(left.is_empty(), "`{}` still finds its good example: {left:?}", rule.id);
        }
    }
}

#[test]
fn examples_show_each_severity_that_is_explained_and_no_other() {
    for rule in RULES {
        let findings: Vec<_> = examples(rule).map(|(bad, _)| check(&load_with(bad))).collect();
        let found = findings.iter().flatten().filter(|finding| finding.rule == rule);
        let shown: BTreeSet<Severity> = found.map(|finding| finding.severity).collect();
        let named: BTreeSet<Severity> = rule.severities().into_iter().collect();
        assert_eq!(shown, named, "`{}`", rule.id);
        let page = explain(rule.id).unwrap();
        let words: Vec<&str> = rule.severities().iter().map(|severity| severity.as_str()).collect();
        assert!(page.contains(&format!("Severity {}, group", words.join(" or "))), "{page}");
        for grade in rule.grades {
            assert!(page.contains(&format!("\n- {} {}\n", grade.severity, grade.when)), "{page}");
        }
    }
}

/// The examples of a rule: what it flags, and the same as it should be.
fn examples(rule: &Rule) -> impl Iterator<Item = (&'static str, &'static str)> {
    let more = rule.more.iter().map(|example| (example.bad, example.good));
    std::iter::once((rule.bad, rule.good)).chain(more)
}

/// Loads an example with every variable it asks for set to a strong value. An example that is a Dockerfile alone is
/// built by one service.
fn load_with(example: &str) -> seaworthy_project::Project {
    use seaworthy_project::fixture::{MemoryFiles, problems, request};
    let mut files = example_files(example);
    if files.iter().all(|(name, _)| name != "compose.yaml") {
        files.push(("compose.yaml".to_owned(), "services:\n  web:\n    build: .\n".to_owned()));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let mut request = request();
    for name in ["POSTGRES_PASSWORD", "API_TOKEN", "SESSION_SECRET", "DB_PASSWORD", "PAYMENT"] {
        if example.contains(":?") {
            request.variables.insert(name.to_owned(), "vT4-mm2Lw-Q9".to_owned());
        }
    }
    let loaded = seaworthy_project::load(&request, &MemoryFiles::new(&files));
    let shown = problems(&loaded);
    assert!(loaded.project.is_some(), "{example}\n{shown:?}");
    loaded.project.expect("it has just been asserted")
}

#[test]
fn the_folder_is_the_registry() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    let mut files = BTreeSet::new();
    for group in std::fs::read_dir(&root).unwrap() {
        let group = group.unwrap().path();
        for file in std::fs::read_dir(&group).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "rs") {
                let id = file.file_stem().unwrap().to_str().unwrap().replace('_', "-");
                files.insert(format!("{}/{id}", group.file_name().unwrap().to_str().unwrap()));
            }
        }
    }
    let listed: BTreeSet<String> =
        RULES.iter().map(|rule| format!("{}/{}", rule.group.as_str(), rule.id)).collect();
    assert_eq!(files, listed, "each file of rules/<group>/ is in ALL, named for its rule and its group");
    assert_eq!(listed.len(), RULES.len(), "no rule is listed twice");
}

#[test]
fn every_rule_has_a_page() {
    let reference = reference_markdown();
    for rule in RULES {
        let page = explain(rule.id).unwrap();
        assert!(page.contains(rule.why) && page.contains(example_files(rule.bad)[0].1.trim()), "{page}");
        assert!(reference.contains(&format!("### {}\n", rule.id)));
        assert!(list().contains(rule.id));
        for text in [rule.why, rule.fix] {
            assert!(text.ends_with('.') || text.ends_with('`'), "`{}`: `{text}` is a sentence", rule.id);
        }
        assert!(!rule.summary.ends_with('.'), "`{}`: the summary is a line, not a sentence", rule.id);
    }
    assert_eq!(explain("no-such-rule"), None);
}
