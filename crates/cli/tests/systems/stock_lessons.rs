//! Stock lessons: three replicas that share one SQLite file, a page of files, and an administrator's corner.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::door::{Door, exchange};
use super::example::Example;
use super::load::Load;
use super::site::free_port;
use super::{nothing_failed, trials};

const SECRETS: [&str; 1] = ["ADMIN_PASSWORD"];
/// What its programs listen on.
const PORTS: [u16; 1] = [8000];

fn text_of(body: &str, key: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(body).unwrap();
    value[key].as_str().unwrap().to_owned()
}

fn serves(lessons: &Example, version: u32) {
    let answer = lessons.request("GET", "/version", "", "").unwrap();
    assert_eq!(text_of(&answer.body, "version"), lessons.version(version));
}

/// Writes somebody's progress and reads it back, by whichever replicas answer.
fn learned(door: &Door, user: u64) -> Result<(), String> {
    let path = format!("/users/user-{user}/progress");
    let written = exchange(
        door.clone(),
        "PUT",
        &format!("{path}/dividends"),
        "content-type: application/json",
        r#"{"score":80}"#,
    )?;
    let read = exchange(door.clone(), "GET", &path, "", "")?;
    match (written.status, read.status) {
        (204, 200) if read.body.contains("dividends") => Ok(()),
        _ => Err(format!("{written:?} {read:?}")),
    }
}

#[test]
fn development_of_the_lessons_stays_as_it_was() {
    let lessons = Example::new("stock-lessons");
    trials::develops(&lessons, "LESSONS_PORT", "/ready");
}

#[test]
fn the_lessons_in_production() {
    let mut lessons = Example::new("stock-lessons");
    lessons.secure = true;
    let (staging, taken) = (free_port(), trials::taken(&PORTS));
    let (plain, other) = (free_port().to_string(), free_port().to_string());
    let certificate = ("LESSONS_CERTIFICATE", "self-signed");
    let host = ("LESSONS_HOST", "localhost");
    let secrets = lessons.fill("production", lessons.port, &[("LESSONS_PLAIN", &plain), certificate, host]);
    lessons.fill("staging", staging, &[("LESSONS_PLAIN", &other), host]);
    let before = lessons.files();
    trials::is_checked(&lessons, &["missing-healthcheck", "missing-limits", "credential-default"]);
    trials::refuses(&lessons, &SECRETS);
    trials::is_proven(&lessons, &[]);
    lessons.ends(0, 1, &["deploy", "-y"]);
    trials::is_kept(&lessons);
    used(&lessons, &secrets[0]);
    trials::only_the_gateway_is_reached(&lessons, &PORTS, &taken);
    trials::has_secrets_as_files(&lessons, &secrets);
    trials::stands_beside_staging(&lessons, staging, "/ready");
    one_writer_is_stopped_first(&lessons);
    trials::bears_one_id(&lessons, "web", "/version");

    let (door, written) = (lessons.door(lessons.port), Arc::new(AtomicU64::new(0)));
    let number = written.clone();
    let load = Load::of(move || learned(&door, number.fetch_add(1, Ordering::SeqCst)));
    lessons.ends(0, 2, &["deploy", "-y"]);
    serves(&lessons, 2);
    lessons.change("lessons/store.py", "count(*) FROM progress\"", "count(*) FROM lessons\"");
    let broken = lessons.ends(3, 3, &["deploy", "-y"]);
    assert!(broken.stderr.contains("503"), "{}", broken.stderr);
    serves(&lessons, 2);
    lessons.change("lessons/store.py", "count(*) FROM lessons\"", "count(*) FROM progress\"");
    lessons.ends(0, 2, &["rollback", "-y"]);
    serves(&lessons, 1);
    nothing_failed(load, 300);
    trials::survives_a_kill(&lessons, "web");

    let all = written.load(Ordering::SeqCst);
    for user in (0..all).step_by(7).chain([all - 1]) {
        let kept = lessons.request("GET", &format!("/users/user-{user}/progress"), "", "").unwrap();
        assert!(kept.body.contains("dividends"), "user {user} of {all}: {}", kept.body);
    }
    assert!(lessons.files() == before, "no file was changed");
    lessons.comes_down(1);
}

/// Uses it as a person does: the page, a lesson by every replica, the administrator's corner, and what is counted.
fn used(lessons: &Example, password: &str) {
    serves(lessons, 1);
    let sent = exchange(lessons.port, "GET", "/lessons", "", "").unwrap();
    let there = format!("location: https://localhost:{}/lessons", lessons.port);
    assert!(sent.status == 308 && sent.head.contains(&there), "without TLS: {}", sent.head);
    let page = lessons.request("GET", "/", "", "").unwrap();
    assert!(page.status == 200 && page.body.contains("<h1>Stock lessons</h1>"), "{}", page.body);
    let script = lessons.request("GET", "/lessons.js", "", "").unwrap();
    assert!(script.status == 200 && script.body.contains("replaceChildren"), "{}", script.body);
    assert!(script.head.to_ascii_lowercase().contains("etag: "), "the gateway's: {}", script.head);
    let instances: BTreeSet<String> = (0..12)
        .map(|_| text_of(&lessons.request("GET", "/version", "", "").unwrap().body, "instance"))
        .collect();
    assert_eq!(instances.len(), 3, "{instances:?}");
    for user in 0..12 {
        learned(&lessons.door(lessons.port), user).unwrap();
    }
    assert_eq!(lessons.request("GET", "/admin/", "", "").unwrap().status, 401);
    let signed = format!("authorization: Basic {}", base64(&format!("admin:{password}")));
    let corner = lessons.request("GET", "/admin/", &signed, "").unwrap();
    assert!(corner.status == 200 && corner.body.contains("\"users\":12"), "{}", corner.body);
    let metrics = lessons.request("GET", "/metrics", "", "").unwrap();
    assert!(metrics.body.contains("stock_lessons_finished 12"), "{}", metrics.body);
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let quartet = |three: &[u8]| {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let digit = |at: usize| match (bits >> (18 - 6 * at)) & 63 {
            _ if at > three.len() => '=',
            digit => char::from(DIGITS[digit as usize]),
        };
        (0..4).map(digit).collect::<String>()
    };
    text.as_bytes().chunks(3).map(quartet).collect()
}

/// With one writer at a time the plan has a gap, and says why.
fn one_writer_is_stopped_first(lessons: &Example) {
    let files = ["compose.yaml", "compose.production.yaml", "compose.one-writer.yaml"];
    let files: Vec<&str> = files.iter().flat_map(|file| ["-f", file]).chain(["plan"]).collect();
    let plan = lessons.ends(0, 2, &files).stdout;
    assert!(plan.contains("one writer at a time"), "{plan}");
}
