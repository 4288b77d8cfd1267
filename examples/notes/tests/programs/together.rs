//! Web, worker and migration on one file.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::program::{Program, WEB, WORKER, database, migrate, wait_for};

#[test]
fn from_an_empty_folder_to_counted_notes() {
    let folder = tempfile::tempdir().unwrap();
    let web = Program::web(WEB, folder.path());
    let early = web.get("/ready");
    assert_eq!(early.status, 503);
    let told = &early.json()["checks"]["schema"];
    assert_eq!(told["error"], "the schema is at version 0 and must be at 1; run `notes-migrate`");
    assert_eq!(early.json()["checks"]["database"]["status"], "ok");

    let lines = migrate(folder.path());
    let last = lines.last().unwrap();
    assert_eq!((&last["from"], &last["to"]), (&json!(0), &json!(2)));
    wait_for("readiness", || (web.get("/ready").status == 200).then_some(()));

    let worker = Program::start(
        WORKER,
        &[("DATABASE_PATH", &database(folder.path())), ("WORKER_INTERVAL_SECONDS", "1")],
    );
    wait_for("the worker's readiness", || (worker.get("/ready").status == 200).then_some(()));
    assert_eq!(web.ask("PUT /notes/a", r#"{"text":"three more words"}"#).status, 201);
    let counted = json!({ "notes": 2, "words": 6 });
    wait_for("the summary", || {
        let mut summary = web.get("/summary").json();
        summary.as_object_mut()?.remove("updated_at");
        (summary == counted).then_some(())
    });
    assert_eq!(web.get("/notes/a").json()["words"], 3);
    worker.signal(Signal::SIGTERM);
    assert!(worker.end().0.success());

    let again = migrate(folder.path());
    assert_eq!((&again[0]["from"], &again[0]["to"], again.len()), (&json!(2), &json!(2), 1));
}

#[test]
fn notes_are_written_read_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    migrate(folder.path());
    let web = Program::web(WEB, folder.path());
    assert_eq!(web.get("/version").body, r#"{"version":"1"}"#);
    assert_eq!(web.ask("PUT /notes/a", r#"{"text":"first"}"#).status, 201);
    assert_eq!(web.ask("PUT /notes/a", r#"{"text":"<b>second</b>"}"#).status, 200);
    assert_eq!(web.get("/notes/a").json()["text"], "<b>second</b>");
    assert_eq!(web.get("/notes").json().as_array().unwrap().len(), 2);
    let page = web.get("/");
    assert!(page.body.contains("&lt;b&gt;second&lt;/b&gt;") && page.head.contains("content-security-policy"));
    assert_eq!(web.ask("DELETE /notes/a", "").status, 204);
    assert_eq!(web.ask("DELETE /notes/a", "").status, 404);
    assert_eq!(web.get("/notes/a").status, 404);
}

#[test]
fn what_is_not_right_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    migrate(folder.path());
    let web = Program::web(WEB, folder.path());
    let long = format!(r#"{{"text":"{}"}}"#, "a".repeat(20_000));
    let huge = format!(r#"{{"text":"{}"}}"#, "a".repeat(70_000));
    for (request, body, status) in [
        ("PUT /notes/a%20b", r#"{"text":"x"}"#, 422),
        ("PUT /notes/a", long.as_str(), 422),
        ("PUT /notes/a", huge.as_str(), 413),
        ("PUT /notes/a", "{", 400),
        ("PUT /notes/a", r#"{"text":"x","pinned":true}"#, 422),
        ("PUT /notes/a", r#"{"text":"x","colour":"red"}"#, 422),
        ("GET /notes?search=x", "", 422),
        ("POST /notes", "", 405),
        ("GET /nothing", "", 404),
    ] {
        assert_eq!(web.ask(request, body).status, status, "{request}");
    }
    assert_eq!(web.get("/notes").json().as_array().unwrap().len(), 1);
}

#[test]
fn only_who_knows_the_token_may_write() {
    let folder = tempfile::tempdir().unwrap();
    migrate(folder.path());
    let path = database(folder.path());
    let other = [("DATABASE_PATH", path.as_str()), ("NOTES_TOKEN", "another-token-entirely")];
    let web = Program::start(WEB, &other);
    let refused = web.ask("PUT /notes/a", r#"{"text":"x"}"#);
    assert_eq!(refused.status, 401);
    assert!(refused.head.contains("www-authenticate: bearer"), "{refused:?}");
    assert_eq!(web.ask("DELETE /notes/1", "").status, 401);
    assert_eq!(web.get("/notes/1").status, 200);
}

#[test]
fn a_worker_without_a_schema_is_not_ready_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let worker = Program::start(WORKER, &[("DATABASE_PATH", &database(folder.path()))]);
    let ready = worker.get("/ready");
    assert_eq!((ready.status, &ready.json()["checks"]["progress"]["status"]), (503, &json!("failed")));
    let warning = worker.message("could not count words");
    assert!(warning["error"].as_str().unwrap().contains("run `notes-migrate`"), "{warning}");
    assert_eq!(worker.get("/health").status, 200);
}
