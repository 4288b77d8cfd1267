//! No text makes the overlay editor, the masks or the rules panic, and every edit is its own end.

use proptest::prelude::*;
use seaworthy_audit::{Edit, EditValue, Fix, Level, check, overlay, redact};
use seaworthy_project::fixture::try_load;

fn fixes() -> Vec<Fix> {
    let edit = |path: &[&str], value| Edit {
        path: path.iter().map(|key| (*key).to_owned()).collect(),
        value,
        comment: Some("why".to_owned()),
    };
    let edits = vec![
        edit(&["services", "a", "read_only"], EditValue::Plain("true".to_owned())),
        edit(&["services", "a", "tmpfs"], EditValue::List(vec!["/tmp".to_owned(), "/run: x".to_owned()])),
        edit(&["services", "a", "environment", "DEBUG"], EditValue::Text("0".to_owned())),
        edit(&["services", "b", "ports"], EditValue::Reset),
    ];
    edits
        .into_iter()
        .map(|edit| Fix {
            level: Level::Safe,
            point: None,
            edits: vec![edit],
            may_break: None,
            unproven: false,
        })
        .collect()
}

/// Lines that look like an overlay, in any order and depth.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "services:",
        "a:",
        "b: {}",
        "environment:",
        "- X=1",
        "- \"DEBUG=0\"",
        "tmpfs: [/tmp,]",
        "tmpfs: []",
        "read_only: true",
        "# note",
        "",
        "image: 'x' # y",
        "{",
        "}",
        "[a, 'b",
        "&x",
        "*x",
        "<<: *x",
        "text: |",
        "a: { read_only: true, t: \"}\" }",
        "? k",
        "ä: ö",
        "\t",
        "---",
        "services: { a: { environment: [] } }",
        "environment: !override",
        "x: 'it''s'",
        "- - a",
    ]);
    let line = (0usize..4, piece).prop_map(|(depth, piece)| format!("{}{piece}", "  ".repeat(depth)));
    (prop::collection::vec(line, 0..14), prop::sample::select(vec!["\n", "\r\n"]))
        .prop_map(|(lines, end)| lines.join(end))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn edits_are_their_own_end(text in yaml_like()) {
        for fix in fixes() {
            let fix = [fix];
            if let Ok(once) = overlay::apply(Some(&text), &fix) {
                let twice = overlay::apply(Some(&once), &fix);
                prop_assert_eq!(twice, Ok(once.clone()), "{:?}", text);
                let kept: String = once.chars().filter(|c| !c.is_whitespace()).collect();
                prop_assert!(kept.len() + 3 >= text.chars().filter(|c| !c.is_whitespace()).map(char::len_utf8).sum::<usize>());
            }
        }
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,80}|[ -~\n\t:{}\\[\\]'\"#&*$-]{0,120}") {
        let _ = overlay::apply(Some(&text), &fixes());
        for path in ["compose.yaml", ".env"] {
            prop_assert_eq!(redact::redact(path.as_ref(), &text).len(), text.len());
        }
    }

    #[test]
    fn any_policy_and_any_comment_are_survived(
        policy in "\\PC{0,60}|[ -~\n:{}\\[\\]'\"#&*-]{0,80}|waivers:\n  - \\{ ?(rule|reason|until|service): ?[ -~]{0,20}\\}",
        comment in "[ -~äß\t]{0,40}",
        mark in prop::sample::select(vec!["seaworthy:ignore", "hadolint ignore=", "check=skip=", "checkov:skip="]),
    ) {
        let yaml = format!("services:\n  # {mark} {comment}\n  a: # {mark}{comment}\n    image: x\n    build: .\n# {mark}");
        let dockerfile = format!("# {mark}{comment}\nFROM x\n# {mark} {comment}\nRUN <<E {comment}\n# {mark}");
        let files = [("compose.yaml", yaml.as_str()), ("Dockerfile", dockerfile.as_str())];
        if let Some(project) = try_load(&files).project {
            let written = |text| seaworthy_audit::Written { path: "policy.yaml".as_ref(), text };
            let given = seaworthy_audit::Given {
                policy: Some(written(&policy)),
                compose_lint: Some(written(&policy)),
                baseline: None,
                today: jiff::civil::date(2026, 11, 21),
                name: &comment,
                root: "/".as_ref(),
            };
            let _ = seaworthy_audit::review(&project, check(&project), &given);
        }
    }

    #[test]
    fn any_values_are_survived(
        value in "[ -~äß]{0,24}",
        image in "[a-z0-9./:@-]{1,24}",
        command in "[ -~]{0,24}",
    ) {
        let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$"));
        let yaml = format!(
            "services:\n  a:\n    image: {}\n    command: [{}]\n    user: {}\n    environment:\n      DB_PASSWORD: {}\n      URL: {}\n",
            quote(&image), quote(&command), quote(&value), quote(&value), quote(&format!("x://{value}"))
        );
        if let Some(project) = try_load(&[("compose.yaml", &yaml)]).project {
            let findings = check(&project);
            let _ = seaworthy_audit::report::text(&findings, &project, false);
        }
    }
}
