//! Three versions on one schema: 2 is good, 3 never gets ready.

use serde_json::json;

use crate::program::{Program, WEB, WEB_2, WEB_3, migrate, wait_for};

#[test]
fn two_versions_serve_the_same_notes() {
    let folder = tempfile::tempdir().unwrap();
    migrate(folder.path());
    let (old, new) = (Program::web(WEB, folder.path()), Program::web(WEB_2, folder.path()));
    for web in [&old, &new] {
        wait_for("readiness", || (web.get("/ready").status == 200).then_some(()));
    }
    assert_eq!(new.get("/version").json(), json!({ "version": "2" }));
    assert_eq!(new.ask("PUT /notes/a", r#"{"text":"Buy milk","pinned":true}"#).status, 201);
    assert_eq!(old.ask("PUT /notes/a", r#"{"text":"Buy oat milk"}"#).status, 200);
    assert_eq!(old.ask("PUT /notes/b", r#"{"text":"Call Ada"}"#).status, 201);
    let notes = new.get("/notes").json();
    assert_eq!((&notes[0]["id"], &notes[0]["pinned"]), (&json!("a"), &json!(true)));
    let found = new.get("/notes?search=OAT").json();
    assert_eq!((found.as_array().unwrap().len(), &found[0]["text"]), (1, &json!("Buy oat milk")));
    assert!(old.get("/notes/a").json().get("pinned").is_none());
}

#[test]
fn version_3_is_alive_but_never_ready_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    migrate(folder.path());
    let web = Program::web(WEB_3, folder.path());
    assert_eq!(web.get("/health").status, 200);
    let ready = web.get("/ready");
    assert_eq!(ready.status, 503);
    let checks = &ready.json()["checks"];
    assert_eq!(checks["search-index"]["status"], "failed");
    assert!(checks["search-index"]["error"].as_str().unwrap().contains("no such table: note_index"));
    assert_eq!((&checks["database"]["status"], &checks["schema"]["status"]), (&json!("ok"), &json!("ok")));
    let logged = web.message("not ready");
    assert_eq!((&logged["check"], &logged["level"]), (&json!("search-index"), &json!("warn")));
}
