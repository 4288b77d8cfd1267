//! The overlay editor keeps every byte it does not have to touch.

use super::*;
use crate::{EditValue, Level};

fn edit(path: &str, value: EditValue) -> Edit {
    Edit::new(path.split(' ').map(str::to_owned).collect(), value)
}

fn fix(edits: Vec<Edit>) -> Vec<Fix> {
    vec![Fix::new(Level::Safe, edits)]
}

fn check(before: &str, edits: Vec<Edit>, after: &str) {
    let fixes = fix(edits);
    let once = apply(Some(before), &fixes).unwrap_or_else(|error| panic!("{error}\n{before}"));
    assert_eq!(once, after);
    assert_eq!(apply(Some(&once), &fixes).unwrap(), once, "a second time changes nothing");
}

fn refused(before: &str, edits: Vec<Edit>) -> OverlayError {
    apply(Some(before), &fix(edits)).unwrap_err()
}

fn read_only() -> Edit {
    edit("services web read_only", EditValue::plain(true))
}

#[test]
fn a_new_overlay_says_what_it_is() {
    let text = apply(None, &fix(vec![read_only()])).unwrap();
    assert_eq!(text, format!("{HEADER}services:\n  web:\n    read_only: true\n"));
}

#[test]
fn comments_blank_lines_and_quotes_stay() {
    check(
        "# top\nservices:\n    # the shop\n    web:   # main\n        image: 'a:1'   # pinned\n\n        # why\n        user: \"1\"\n        # after\n    # before db\n    db:\n        image: b\n\n# end\n",
        vec![read_only()],
        "# top\nservices:\n    # the shop\n    web:   # main\n        image: 'a:1'   # pinned\n\n        # why\n        user: \"1\"\n        # after\n        read_only: true\n    # before db\n    db:\n        image: b\n\n# end\n",
    );
}

#[test]
fn nested_keys_and_comments_are_written() {
    let edits = vec![
        edit("services web deploy resources limits memory", EditValue::text("512M"))
            .comment("A starting point."),
        edit("services web deploy resources limits cpus", EditValue::text("1.0")),
    ];
    check(
        "services:\n  web:\n    deploy:\n      replicas: 2\n",
        edits,
        "services:\n  web:\n    deploy:\n      replicas: 2\n      resources:\n        limits:\n          # A starting point.\n          memory: 512M\n          cpus: \"1.0\"\n",
    );
}

#[test]
fn line_ends_and_a_missing_last_one_are_kept() {
    check(
        "services:\r\n  web:\r\n    init: true",
        vec![read_only()],
        "services:\r\n  web:\r\n    init: true\r\n    read_only: true\r\n",
    );
    check(
        "\u{feff}services:\n  web:\n",
        vec![read_only()],
        "\u{feff}services:\n  web:\n    read_only: true\n",
    );
    check("", vec![read_only()], "services:\n  web:\n    read_only: true\n");
    check(
        "---\n# nothing yet\n",
        vec![read_only()],
        "---\n# nothing yet\nservices:\n  web:\n    read_only: true\n",
    );
}

#[test]
fn services_set_apart_stay_so() {
    check(
        "services:\n  a:\n    init: true\n\n  b:\n    init: true\n",
        vec![read_only()],
        "services:\n  a:\n    init: true\n\n  b:\n    init: true\n\n  web:\n    read_only: true\n",
    );
}

#[test]
fn maps_in_braces_grow() {
    check(
        "services: { web: { init: true } } # x\n",
        vec![read_only()],
        "services: { web: { init: true, read_only: true } } # x\n",
    );
    check("services: {}\n", vec![read_only()], "services: { web: { read_only: true } }\n");
    check(
        "services:\n  web: {a: \"}, {\", b: [1, 2],}\n",
        vec![read_only()],
        "services:\n  web: {a: \"}, {\", b: [1, 2], read_only: true}\n",
    );
}

#[test]
fn lists_grow_by_what_is_missing() {
    let tmpfs = || edit("services web tmpfs", EditValue::list(["/tmp", "/run"]));
    check(
        "services:\n  web:\n    tmpfs: [/tmp]\n",
        vec![tmpfs()],
        "services:\n  web:\n    tmpfs: [/tmp, /run]\n",
    );
    check(
        "services:\n  web:\n    tmpfs: []\n",
        vec![tmpfs()],
        "services:\n  web:\n    tmpfs: [/tmp, /run]\n",
    );
    check(
        "services:\n  web:\n    tmpfs:\n    - '/tmp' # scratch\n    init: true\n",
        vec![tmpfs()],
        "services:\n  web:\n    tmpfs:\n    - '/tmp' # scratch\n    - /run\n    init: true\n",
    );
}

#[test]
fn variables_are_added_to_lists_and_maps() {
    let debug = || edit("services web environment DEBUG", EditValue::text("0"));
    check(
        "services:\n  web:\n    environment:\n      - A=b\n",
        vec![debug()],
        "services:\n  web:\n    environment:\n      - A=b\n      - \"DEBUG=0\"\n",
    );
    check(
        "services:\n  web:\n    environment:\n      A: b\n",
        vec![debug()],
        "services:\n  web:\n    environment:\n      A: b\n      DEBUG: \"0\"\n",
    );
    assert!(matches!(
        refused("services:\n  web:\n    environment: [DEBUG=1]\n", vec![debug()]),
        OverlayError::Decided { .. }
    ));
}

#[test]
fn what_other_places_share_is_refused() {
    for text in [
        "services:\n  web: &base\n    init: true\n  b: *base\n",
        "services:\n  web: *base\n",
        "services:\n  web:\n    <<: *base\n    init: true\n",
        "x: &a {}\nservices: { web: { <<: *a } }\n",
    ] {
        let error = refused(text, vec![read_only()]);
        assert!(
            matches!(error, OverlayError::Shared { .. } | OverlayError::Merged { .. }),
            "{text}: {error}"
        );
    }
}

#[test]
fn what_the_overlay_decided_is_respected() {
    assert!(matches!(
        refused("services:\n  web:\n    read_only: false\n", vec![read_only()]),
        OverlayError::Decided { .. }
    ));
    assert!(matches!(
        refused("services:\n  web: !reset null\n", vec![read_only()]),
        OverlayError::Decided { .. }
    ));
    let healthy = edit("services web depends_on db condition", EditValue::text("service_healthy"));
    assert!(matches!(
        refused("services:\n  web:\n    depends_on: [db]\n", vec![healthy]),
        OverlayError::Form { .. }
    ));
}

#[test]
fn unusual_yaml_is_refused_not_guessed() {
    for text in [
        "services: {\n  web: {}\n}\n",
        "? services\n: web\n",
        "services:\n  web: |\n    text\n",
        "a: 1\n---\nb: 2\n",
        "- a\n",
        "services:\n  web: a\n    b\n",
    ] {
        refused(text, vec![read_only()]);
    }
}

#[test]
fn replacing_what_files_below_say() {
    let volumes = || edit("services web volumes", EditValue::Override(vec!["data:/data".to_owned()]));
    let ports = || edit("services web ports", EditValue::Reset);
    check(
        "services:\n  web:\n    init: true\n",
        vec![volumes(), ports()],
        "services:\n  web:\n    init: true\n    volumes: !override [\"data:/data\"]\n    ports: !reset null\n",
    );
}

#[test]
fn texts_are_quoted_where_yaml_would_misread_them() {
    for (text, written) in [
        ("on", "\"on\""),
        ("1.0", "\"1.0\""),
        ("22:22", "\"22:22\""),
        ("/tmp", "/tmp"),
        ("512M", "512M"),
        ("1e3", "\"1e3\""),
        ("10", "\"10\""),
        ("unless-stopped", "unless-stopped"),
        ("a \"b\" \\ \n", "\"a \\\"b\\\" \\\\ \\n\""),
        ("", "\"\""),
    ] {
        check(
            "services:\n  web:\n    init: true\n",
            vec![edit("services web x-text", EditValue::text(text))],
            &format!("services:\n  web:\n    init: true\n    x-text: {written}\n"),
        );
    }
}

#[test]
fn a_diff_shows_both_sides() {
    let text = diff("a: 1\n", "a: 1\nb: 2\n", "compose.production.yaml");
    assert!(text.contains("--- a/compose.production.yaml") && text.contains("+b: 2"), "{text}");
    assert_eq!(diff("a", "a", "x"), "");
}
