//! Hardening applies what provably holds, keeps what people wrote, and is done after one time.

use seaworthy_audit::{Digest, Hardened, Level, RULES, Severity, check, harden, overlay, pin, report};
use seaworthy_project::fixture::{MemoryFiles, problems, request};
use seaworthy_project::{Loaded, Project, load};

const OVERLAY: &str = "compose.production.yaml";

fn project(base: &str, over: Option<&str>) -> Project {
    let loaded = reload(base, over, &[]);
    let shown = problems(&loaded);
    assert!(loaded.project.is_some(), "{shown:?}\n{base}\n{}", over.unwrap_or_default());
    loaded.project.expect("it has just been asserted")
}

fn reload(base: &str, over: Option<&str>, variables: &[(&str, &str)]) -> Loaded {
    let mut request = request();
    request.variables.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let mut files = vec![("compose.yaml", base)];
    files.extend(over.map(|over| (OVERLAY, over)));
    load(&request, &MemoryFiles::new(&files))
}

fn run(base: &str, over: Option<&str>, level: Level) -> Hardened {
    harden(&project(base, over), over, &|text| reload(base, Some(text), &[]), level)
}

fn rules(findings: &[seaworthy_audit::Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.rule.id).collect()
}

const SHOP: &str = "\
services:
  web:
    build: .
    ports: [\"80:8000\"]
    depends_on: [db]
    volumes: [\".:/app\", \"uploads:/uploads\"]
    environment:
      DEBUG: \"1\"
  db:
    image: postgres:17.2
    ports: [\"5432:5432\"]
    environment:
      POSTGRES_PASSWORD: postgres
volumes:
  uploads: {}
";

#[test]
fn safe_fixes_make_an_overlay_that_loads_and_is_done() {
    let hardened = run(SHOP, None, Level::NeedsImageKnowledge);
    let text = hardened.text.unwrap();
    assert!(hardened.refused.is_empty(), "{:?}", hardened.refused);
    assert!(text.starts_with(overlay::HEADER), "{text}");
    let after = project(SHOP, Some(&text));
    let db = after.services.values().find(|service| service.name.value.as_str() == "db").unwrap();
    assert!(db.read_only.as_ref().unwrap().value, "{text}");
    assert!(db.healthcheck.is_some() && db.memory_limit().is_some() && db.restart.is_some(), "{text}");
    assert!(db.mounts.iter().any(|mount| mount.value.source.as_deref() == Some("db-data")), "{text}");
    let web = after.services.values().next().unwrap();
    assert!(web.read_only.is_none(), "what an unknown image needs is not guessed:\n{text}");
    assert_eq!(text.matches("condition: service_healthy").count(), 1, "{text}");
    let again = run(SHOP, Some(&text), Level::NeedsImageKnowledge);
    assert_eq!(again.text.as_deref(), Some(text.as_str()), "a second time changes nothing");
    assert!(again.applied.is_empty());
    let left = rules(&hardened.by_hand);
    for rule in ["source-bind-mount", "debug-mode", "published-datastore-port", "default-credential"] {
        assert!(left.contains(&rule), "`{rule}` is left to a person: {left:?}");
    }
}

#[test]
fn all_fixes_change_behaviour_where_production_wants_it() {
    let hardened = run(SHOP, None, Level::BehaviourChanging);
    let text = hardened.text.unwrap();
    let after = project(SHOP, Some(&text));
    let left = check(&after);
    let high: Vec<_> =
        left.iter().filter(|finding| finding.severity >= Severity::High).map(|f| f.identity()).collect();
    assert_eq!(
        high,
        [
            "missing-healthcheck@services.web.healthcheck",
            "default-credential@services.db.environment.POSTGRES_PASSWORD"
        ],
        "a person has to say how `web` tells that it is ready, and to choose a password:\n{text}"
    );
    assert!(text.contains("volumes: !override [\"uploads:/uploads\"]"), "{text}");
    assert!(text.contains("DEBUG: \"0\"") && text.contains("ports: !reset null"), "{text}");
    assert_eq!(run(SHOP, Some(&text), Level::BehaviourChanging).text.as_deref(), Some(text.as_str()));
}

#[test]
fn a_default_is_dropped_only_where_the_variable_is_set() {
    let base = "services:\n  web:\n    image: shop:1.4\n    environment:\n      DB_PASSWORD: ${DB_PASSWORD:-hunter2}\n";
    let unset = run(base, None, Level::Safe);
    assert!(rules(&unset.by_hand).contains(&"credential-default"));
    let refused =
        unset.refused.iter().find(|refused| refused.finding.rule.id == "credential-default").unwrap();
    assert!(refused.reason.contains("would not load"), "{}", refused.reason);
    let set = [("DB_PASSWORD", "vT4-mm2Lw-Q9")];
    let project = reload(base, None, &set).project.unwrap();
    let hardened = harden(&project, None, &|text| reload(base, Some(text), &set), Level::Safe);
    assert!(!rules(&hardened.by_hand).contains(&"credential-default"));
    assert!(
        hardened
            .text
            .unwrap()
            .contains("DB_PASSWORD: \"${DB_PASSWORD:?set DB_PASSWORD in .env.production}\"")
    );
}

#[test]
fn what_the_overlay_shares_is_left_alone_and_the_rest_is_done() {
    let base = "services:\n  web:\n    image: shop:1.4\n  worker:\n    image: shop:1.4\n";
    let over = "x-seaworthy:\n  overlay: true\nx-base: &base # shared\n  init: true\nservices:\n  web:\n    <<: *base\n  worker: # alone\n    user: \"10001\"\n";
    let hardened = run(base, Some(over), Level::NeedsImageKnowledge);
    let text = hardened.text.unwrap();
    assert!(
        text.contains("x-base: &base # shared\n  init: true\n")
            && text.contains("    <<: *base\n  worker: # alone\n")
    );
    assert!(hardened.refused.iter().all(|refused| refused.finding.place.key().starts_with("services.web")));
    assert!(hardened.refused.iter().any(|refused| refused.reason.contains("<<")), "{:?}", hardened.refused);
    assert!(
        hardened.applied.iter().any(|applied| applied.finding.place.key().starts_with("services.worker"))
    );
}

#[test]
fn every_fix_of_every_rule_holds_on_its_own_example() {
    let set = [("POSTGRES_PASSWORD", "vT4-mm2Lw-Q9"), ("DB_PASSWORD", "vT4-mm2Lw-Q9")];
    // Fixes are edits of the overlay: an example with more than a Compose file has none.
    for rule in RULES.iter().filter(|rule| rule.bad.starts_with("services:")) {
        let loaded = reload(rule.bad, None, &set);
        let Some(project) = loaded.project else { panic!("{}: {:?}", rule.id, loaded.problems) };
        let offered = check(&project).iter().any(|finding| finding.rule == rule && !finding.fixes.is_empty());
        if !offered {
            continue;
        }
        let hardened =
            harden(&project, None, &|text| reload(rule.bad, Some(text), &set), Level::BehaviourChanging);
        let refused: Vec<_> =
            hardened.refused.iter().map(|refused| (&refused.reason, &refused.fix.edits)).collect();
        assert!(refused.is_empty(), "`{}`: {refused:?}", rule.id);
        assert!(
            hardened.applied.iter().any(|applied| applied.finding.rule == rule),
            "`{}` fixes its example",
            rule.id
        );
    }
}

#[test]
fn no_secret_shows_in_any_report() {
    let base = "\
services:
  web:
    image: shop:1.4
    command: [serve, --api-key, CANARY-one-1, --bind, 0.0.0.0]
    environment:
      API_TOKEN: CANARY-two-2
      DATABASE_URL: postgres://u:CANARY-three-3@db/x
      DB_PASSWORD: ${DB_PASSWORD:-CANARY-four-4}
      KEY: sk_live_CANARY000000000000000000
      SESSION_SECRET: changeme-CANARY
    build:
      context: .
      args: { NPM_TOKEN: CANARY-five-5 }
secrets:
  db: { file: ./db.txt }
";
    let project = project(base, None);
    let findings = check(&project);
    let expected = [
        "literal-credential",
        "credential-in-url",
        "credential-default",
        "known-token",
        "credential-in-command",
        "credential-in-build-args",
        "placeholder-credential",
    ];
    for rule in expected {
        assert!(findings.iter().any(|finding| finding.rule.id == rule), "`{rule}` is found");
    }
    let hardened = run(base, None, Level::BehaviourChanging);
    let outputs = [
        report::text(&findings, &project, false),
        report::text(&findings, &project, true),
        report::json(&findings, &project),
        hardened.text.unwrap_or_default(),
        hardened.by_hand.iter().map(|finding| format!("{finding:?}")).collect(),
    ];
    for output in outputs {
        assert!(!output.contains("CANARY"), "{output}");
    }
}

#[test]
fn a_digest_is_written_behind_the_tag_and_nothing_else_changes() {
    let before = project(SHOP, None);
    let digest = |service: &str| {
        let name = before.services.keys().find(|name| name.as_str() == service);
        Digest {
            service: name.expect("it is in the file").clone(),
            digest: format!("sha256:{}", "0".repeat(64)),
        }
    };
    let asked = [digest("web"), digest("db")];
    let pinned = pin(&before, None, &|text| reload(SHOP, Some(text), &[]), &asked);
    let wanted = format!("postgres:17.2@{}", asked[1].digest);
    let text = pinned.text.expect("one image can be pinned");
    assert!(text.contains(&format!("    image: \"{wanted}\"\n")), "{text}");
    let refused: Vec<(&str, &str)> =
        pinned.refused.iter().map(|(name, reason)| (name.as_str(), reason.as_str())).collect();
    assert_eq!(refused, [("web", "it has no image.")], "it is built");
    let decided = "x-seaworthy:\n  overlay: true\nservices:\n  db:\n    image: postgres:17.1\n";
    let other = project(SHOP, Some(decided));
    let left = pin(&other, Some(decided), &|text| reload(SHOP, Some(text), &[]), &asked[1..]);
    assert_eq!(left.text.as_deref(), Some(decided), "what people wrote stays");
    assert!(left.applied.is_empty() && left.refused[0].1.contains("already says something else"));
}
