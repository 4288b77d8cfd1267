//! Logs: one line of JSON per event, with the request it belongs to and without query strings.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use jiff::Timestamp;
use seaworthy_service::{JsonLog, Kit, Secret, Stop};
use serde_json::{Value, json};
use tower::ServiceExt;
use tracing_subscriber::layer::SubscriberExt;

type Lines = Arc<Mutex<Vec<Value>>>;

/// A log whose lines are kept, for as long as the guard lives.
fn kept() -> (Lines, tracing::subscriber::DefaultGuard) {
    let lines = Lines::default();
    let keep = Arc::clone(&lines);
    let writer = Arc::new(move |line: &[u8]| {
        assert!(line.ends_with(b"\n") && line.iter().filter(|byte| **byte == b'\n').count() == 1);
        keep.lock().unwrap().push(serde_json::from_slice(line).unwrap());
    });
    let clock = || Timestamp::from_millisecond(1_700_000_000_042).unwrap();
    let log = JsonLog::new("notes", clock, writer);
    let filter = tracing_subscriber::EnvFilter::new("info");
    (lines, tracing::subscriber::set_default(tracing_subscriber::registry().with(filter).with(log)))
}

#[test]
fn an_event_is_one_line() {
    let (lines, _guard) = kept();
    let secret = Secret::new("canary");
    tracing::info!(
        count = 3,
        good = true,
        ratio = 0.5,
        name = "a\nb",
        ?secret,
        time = "mine",
        "wrote {} notes",
        3
    );
    let expected = json!({
        "time": "2023-11-14T22:13:20.042Z", "level": "info", "message": "wrote 3 notes", "service": "notes",
        "count": 3, "good": true, "ratio": 0.5, "name": "a\nb", "secret": "[redacted]", "field_time": "mine",
    });
    assert_eq!(*lines.lock().unwrap(), [expected]);
}

#[test]
fn spans_lend_their_fields_and_errors_tell_their_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("could not write")]
    struct Outer(#[source] std::io::Error);

    let (lines, _guard) = kept();
    let outer = tracing::info_span!("outer", job = "count", step = 1, late = tracing::field::Empty);
    outer.record("late", 9);
    let error = Outer(std::io::Error::other("disk full"));
    outer.in_scope(|| {
        tracing::info_span!("inner", step = 2).in_scope(|| {
            tracing::error!(error = &error as &dyn std::error::Error, "failed");
        });
    });
    let line = lines.lock().unwrap()[0].clone();
    assert_eq!((&line["job"], &line["step"], &line["late"]), (&json!("count"), &json!(2), &json!(9)));
    assert_eq!((&line["level"], &line["error"]), (&json!("error"), &json!("could not write: disk full")));
}

#[test]
fn an_endless_text_is_cut() {
    let (lines, _guard) = kept();
    tracing::info!("{}", "ä".repeat(20_000));
    let message = lines.lock().unwrap()[0]["message"].as_str().unwrap().to_owned();
    assert!(message.ends_with('…') && message.len() < 17_000);
}

#[tokio::test]
async fn a_request_is_logged_once_without_its_query() {
    let (lines, _guard) = kept();
    let work = || async { tracing::info!("at work") };
    let router = Kit::new("notes", "1").router(Router::new().route("/notes/{id}", get(work)), Stop::new());
    let ask = |path: &str| {
        let request = Request::get(path).header("x-request-id", "seven");
        router.clone().oneshot(request.body(Body::empty()).unwrap())
    };
    ask("/notes/1?token=canary").await.unwrap();
    ask("/health").await.unwrap();
    let lines = lines.lock().unwrap().clone();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().all(|line| line["request_id"] == "seven"));
    assert_eq!(lines[0]["trace_id"].as_str().unwrap().len(), 32);
    let told = &lines[1];
    assert_eq!(
        (&told["message"], &told["method"], &told["status"]),
        (&json!("request"), &json!("GET"), &json!(200))
    );
    assert_eq!((&told["path"], &told["route"]), (&json!("/notes/1"), &json!("/notes/{id}")));
    assert!(told["duration_ms"].is_u64());
    assert!(!format!("{lines:?}").contains("canary"));
}
