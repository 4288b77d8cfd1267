//! What people decided: waivers, policy and baseline, over whole projects.
#![allow(clippy::unwrap_used, clippy::panic, reason = "code of tests")]

use std::path::Path;

use seaworthy_audit::baseline::{Baseline, baseline};
use seaworthy_audit::report::{Checked, Report};
use seaworthy_audit::{Given, Review, Severity, Standing, Threshold, Written, check, review};
use seaworthy_project::fixture::{FOLDER, try_load};

struct Case<'case> {
    files: &'case [(&'case str, &'case str)],
    policy: Option<&'case str>,
    theirs: Option<&'case str>,
    baseline: Option<&'case Baseline>,
}

impl Case<'_> {
    fn review(&self) -> Result<Review, (Review, Vec<String>)> {
        let loaded = try_load(self.files);
        let project = loaded.project.unwrap_or_else(|| panic!("{:?}", loaded.problems));
        let given = Given {
            policy: self.policy.map(|text| Written { path: Path::new("seaworthy.policy.yaml"), text }),
            compose_lint: self.theirs.map(|text| Written { path: Path::new(".compose-lint.yml"), text }),
            baseline: self.baseline,
            today: jiff::civil::date(2026, 11, 21),
            name: "",
            root: Path::new(FOLDER),
        };
        let review = review(&project, check(&project), &given);
        let told = |problem: &seaworthy_project::Problem| {
            format!("{:?} {}", problem.span.map(|span| review.sources.place(&span)), problem.message)
        };
        let problems: Vec<String> = review.problems.iter().map(told).collect();
        if problems.is_empty() { Ok(review) } else { Err((review, problems)) }
    }
}

fn of<'case>(files: &'case [(&'case str, &'case str)]) -> Case<'case> {
    Case { files, policy: None, theirs: None, baseline: None }
}

/// Where each finding of a rule stands, by service.
fn standings(review: &Review, rule: &str) -> Vec<String> {
    let told = |item: &seaworthy_audit::Reviewed| {
        let service = item.finding.place.service.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{service} {}", item.standing.as_str())
    };
    review.items.iter().filter(|item| item.finding.rule.id == rule).map(told).collect()
}

const TWO: &str = "services:\n  web:\n    image: shop\n  db:\n    image: other\n";

#[test]
fn a_comment_is_about_its_line_its_block_or_its_service() {
    let at = |old: &str, new: &str| {
        let text = TWO.replace(old, new);
        let review = of(&[("compose.yaml", &text)]).review().unwrap();
        (standings(&review, "moving-tag"), standings(&review, "missing-limits"), review.unused.len())
    };
    let open = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    assert_eq!(
        at("image: shop\n", "image: shop # seaworthy:ignore moving-tag ours\n"),
        (open(["web waived", "db open"]), open(["web open", "db open"]), 0)
    );
    assert_eq!(
        at("  web:\n", "  # seaworthy:ignore moving-tag,missing-limits ours\n  web:\n").0,
        open(["web waived", "db open"])
    );
    assert_eq!(
        at("  db:\n", "  db: # seaworthy:ignore missing-limits ours\n").1,
        open(["web open", "db waived"])
    );
    assert_eq!(
        at("services:\n", "# seaworthy:ignore moving-tag all\nservices:\n").0,
        open(["web waived", "db waived"])
    );
    assert_eq!(
        at("image: other\n", "image: other # seaworthy:ignore privileged none\n").2,
        1,
        "unused is told"
    );
}

#[test]
fn a_waiver_at_a_service_counts_wherever_its_findings_stand() {
    let over = "x-seaworthy: { overlay: true }\nservices:\n  # seaworthy:ignore moving-tag decided for production\n  web:\n    init: true\n";
    let review = of(&[("compose.yaml", TWO), ("compose.production.yaml", over)]).review().unwrap();
    assert_eq!(standings(&review, "moving-tag"), ["web waived", "db open"]);
}

#[test]
fn an_expired_waiver_counts_again() {
    let until = |day: &str| {
        let text = TWO.replace(
            "image: shop\n",
            &format!("image: shop # seaworthy:ignore moving-tag ours until={day}\n"),
        );
        standings(&of(&[("compose.yaml", &text)]).review().unwrap(), "moving-tag")
    };
    assert_eq!(until("2026-11-21")[0], "web waived", "the last day counts");
    assert_eq!(until("2026-11-20")[0], "web expired");
}

#[test]
fn an_expired_waiver_is_told_however_little_it_was_about() {
    let old = "    # seaworthy:ignore fixed-container-name,privileged old habit until=2026-11-20\n";
    let text = format!(
        "services:\n  web:\n    image: shop:1.4\n{old}    container_name: shop\n{}    privileged: true\n",
        old
    );
    let review = of(&[("compose.yaml", &text)]).review().unwrap();
    let checked = Checked { review, threshold: Threshold::default(), overlay: None };
    let told = Report { checked: vec![checked], unchecked: Vec::new(), by: None }.text(false);
    assert_eq!(told.matches("its waiver ended on 2026-11-20: old habit").count(), 2, "{told}");
    assert!(
        told.lines().any(|line| line.starts_with("low[fixed-container-name]") && line.contains("ended")),
        "{told}"
    );
}

#[test]
fn a_waiver_without_reason_is_an_error_with_its_place() {
    let text = TWO.replace("image: shop\n", "image: shop # seaworthy:ignore moving-tag\n");
    let (_, problems) = of(&[("compose.yaml", &text)]).review().unwrap_err();
    assert_eq!(problems, ["Some(\"compose.yaml:3:17\") The waiver of `moving-tag` gives no reason."]);
    let case = Case { policy: Some("waivers:\n  - rule: moving-tag\n"), ..of(&[("compose.yaml", TWO)]) };
    let (_, problems) = case.review().unwrap_err();
    assert_eq!(
        problems,
        ["Some(\"seaworthy.policy.yaml:2:11\") The waiver of `moving-tag` gives no reason."]
    );
}

#[test]
fn a_broken_waiver_hides_neither_findings_nor_other_waivers() {
    let text = TWO
        .replace("image: shop\n", "image: shop # seaworthy:ignore moving-tag\n")
        .replace("image: other\n", "image: other # seaworthy:ignore moving-tag theirs\n");
    let policy = "waivers:\n  - { rule: missing-limits, service: db, reason: alone }\n  - { rule: nonsense, reason: x }\n";
    let files = [("compose.yaml", text.as_str())];
    let (review, problems) = Case { policy: Some(policy), ..of(&files) }.review().unwrap_err();
    assert_eq!(standings(&review, "moving-tag"), ["web open", "db waived"]);
    assert_eq!(standings(&review, "missing-limits"), ["web open", "db waived"]);
    assert_eq!(
        problems,
        [
            "Some(\"compose.yaml:3:17\") The waiver of `moving-tag` gives no reason.",
            "Some(\"seaworthy.policy.yaml:3:13\") There is no rule `nonsense`.",
        ]
    );
    let unreadable = Case { policy: Some("waivers: ["), ..of(&[("compose.yaml", TWO)]) };
    let (review, problems) = unreadable.review().unwrap_err();
    assert_eq!((standings(&review, "moving-tag").len(), problems.len()), (2, 1), "{problems:?}");
}

#[test]
fn what_joins_others_is_waived_by_its_parts() {
    let case = Case {
        policy: Some("waivers:\n  - { rule: absent-hardening, reason: all of it }\n"),
        ..of(&[("compose.yaml", TWO)])
    };
    let (_, problems) = case.review().unwrap_err();
    assert!(problems[0].contains("only joins what other rules find"), "{problems:?}");
}

#[test]
fn an_environment_file_bears_waivers_too() {
    let compose = "services:\n  web:\n    image: shop:1.4\n    env_file: web.env\n";
    let open = "DB_PASSWORD=changeme\n";
    let closed = format!("# seaworthy:ignore placeholder-credential it is set at the first start\n{open}");
    let told = |env: &str| {
        let review = of(&[("compose.yaml", compose), ("web.env", env)]).review().unwrap();
        standings(&review, "placeholder-credential")
    };
    assert_eq!((told(open), told(&closed)), (vec!["web open".to_owned()], vec!["web waived".to_owned()]));
}

#[test]
fn single_points_can_be_waived() {
    let text = TWO.replace(
        "  web:\n",
        "  # seaworthy:ignore missing-hardening/read_only it writes its cache\n  web:\n",
    );
    let review = of(&[("compose.yaml", &text)]).review().unwrap();
    let item = review.items.iter().find(|item| item.finding.place.key() == "services.web").unwrap();
    assert_eq!(item.standing, Standing::Open);
    assert!(!item.finding.points.contains(&"read_only") && item.finding.points.contains(&"cap_drop"));
    assert!(item.finding.help.ends_with("Waived is `read_only`."), "{}", item.finding.help);
    assert!(item.finding.fixes.iter().all(|fix| fix.point != Some("read_only")));
    assert!(review.unused.is_empty());
}

#[test]
fn a_policy_waives_ranks_and_asks() {
    let policy = "waivers:\n  - { rule: moving-tag, service: web, reason: ours }\n  - { rule: missing-limits, file: other.yaml, reason: x }\nseverity: { moving-tag: critical }\nrequire: { labels: [team], registries: [ghcr.io] }\nfail_on: critical\n";
    let review = Case { policy: Some(policy), ..of(&[("compose.yaml", TWO)]) }.review().unwrap();
    assert_eq!(standings(&review, "moving-tag"), ["web waived", "db open"]);
    assert_eq!(standings(&review, "missing-limits"), ["web open", "db open"], "another file");
    assert_eq!(standings(&review, "missing-label").len(), 2);
    assert_eq!(standings(&review, "registry-not-allowed").len(), 2);
    assert_eq!(review.items[0].finding.severity, Severity::Critical, "worst first");
    assert_eq!(review.policy.fail_on, Some(Threshold::At(Severity::Critical)));
    assert!(review.fails(Threshold::At(Severity::Critical)));
    assert_eq!(review.unused.len(), 1);
}

#[test]
fn the_settings_of_compose_lint_are_honoured() {
    let theirs = "rules:\n  CL-0004: { enabled: false, reason: the vendor }\n  CL-0006: { exclude_services: { web: needs chown } }\n";
    let review = Case { theirs: Some(theirs), ..of(&[("compose.yaml", TWO)]) }.review().unwrap();
    assert_eq!(standings(&review, "moving-tag"), ["web waived", "db waived"]);
    let web = review.items.iter().find(|item| item.finding.place.key() == "services.web").unwrap();
    assert!(!web.finding.points.contains(&"cap_drop"));
}

#[test]
fn a_baseline_knows_what_was_there_and_not_what_is_new_or_worse() {
    let before = of(&[("compose.yaml", TWO)]).review().unwrap();
    let known = Baseline::read(&baseline(&[&before])).unwrap();
    let moved = format!("# moved\n\n{TWO}    privileged: true\n");
    let files = [("compose.yaml", moved.as_str())];
    let case = Case { baseline: Some(&known), ..of(&files) };
    let review = case.review().unwrap();
    let new: Vec<&str> = review.counted().map(|finding| finding.rule.id).collect();
    assert_eq!(new, ["privileged"]);
    assert_eq!(review.gone, 0);
    let worse = Case { policy: Some("severity: { moving-tag: high }"), ..case }.review().unwrap();
    assert!(worse.counted().any(|finding| finding.rule.id == "moving-tag"), "worse than it was");
    let fixed = TWO.replace("image: shop\n", "image: shop:1.4\n");
    let less = Case { baseline: Some(&known), ..of(&[("compose.yaml", &fixed)]) }.review().unwrap();
    assert_eq!((less.counted().count(), less.gone), (0, 1));
    for text in ["", "[]", "{\"version\": 9, \"findings\": []}"] {
        assert!(Baseline::read(text).is_err(), "{text}");
    }
}
