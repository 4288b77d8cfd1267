//! The reports: what a person reads and what a program reads.

use seaworthy_audit::{check, report};
use seaworthy_project::fixture::{load_yaml, try_load};

const WEB: &str = "services:\n  web:\n    image: shop:1.4\n    privileged: true # why\n";

#[test]
fn the_text_shows_line_caret_fix_and_what_to_type_next() {
    let project = load_yaml(WEB);
    let text = report::text(&check(&project), &project, false);
    let start = text.lines().take(9).collect::<Vec<_>>().join("\n");
    assert_eq!(
        start,
        "\
== service web ==

critical[privileged]: `web` runs privileged: it owns the machine.
 --> compose.yaml:4:17
  |
4 |     privileged: true # why
  |                 ^^^^
  |
  = fix: Remove `privileged: true` and give the one thing it was for: a device under `devices`, or a capability under `cap_add`."
    );
    let end: Vec<&str> = text.lines().rev().take(2).collect();
    assert_eq!(
        end,
        [
            "Next: `seaworthy harden --dry-run` shows what can be fixed; `seaworthy explain privileged` says why it matters.",
            "2 findings: 1 critical, 1 medium.",
        ],
        "{text}"
    );
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn colour_adds_nothing_but_colour() {
    let project = load_yaml(WEB);
    let findings = check(&project);
    let colored = report::text(&findings, &project, true);
    let mut plain = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(squeeze(&plain), squeeze(&report::text(&findings, &project, false)));
}

#[test]
fn the_json_has_a_version_places_and_counts() {
    let project = load_yaml(WEB);
    let value: serde_json::Value = serde_json::from_str(&report::json(&check(&project), &project)).unwrap();
    assert_eq!(value["version"], 1);
    assert_eq!(value["summary"]["critical"], 1);
    let first = &value["findings"][0];
    assert_eq!(first["id"], "privileged@services.web.privileged");
    assert_eq!(first["place"]["path"], "compose.yaml");
    assert_eq!((&first["place"]["line"], &first["place"]["column"]), (&4.into(), &17.into()));
}

#[test]
fn identities_do_not_depend_on_lines() {
    let identities =
        |yaml: &str| check(&load_yaml(yaml)).iter().map(|finding| finding.identity()).collect::<Vec<_>>();
    assert_eq!(identities(WEB), identities(&format!("# moved\n\n{WEB}")));
}

#[test]
fn problems_are_shown_with_caret_and_hint() {
    let loaded = try_load(&[(
        "compose.yaml",
        "services:\n  web:\n    imaeg: shop:1.4\n    image: shop:1.4\n    API_PASSWORD: hunter2\n",
    )]);
    let text = report::problems(&loaded.problems, &loaded.sources, false);
    assert!(text.contains("--> compose.yaml:3:5") && text.contains("^^^^^"), "{text}");
    assert!(text.contains("hint:"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn nothing_found_is_said() {
    let project = load_yaml("services:\n  web:\n    image: shop:1.4\n");
    let text = report::text(&Default::default(), &project, false);
    assert!(text.starts_with("Nothing found"), "{text}");
}
