//! What the kit adds to a service: `/health`, `/ready`, `/metrics`, identity, and no panic past it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Path;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use seaworthy_service::prometheus::metrics::counter::Counter;
use seaworthy_service::{Kit, RequestIdentity, Stop};
use serde_json::{Value, json};
use tower::ServiceExt;

const TRACE_PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn app() -> Router {
    let broken = || async {
        if true {
            panic!("on purpose")
        }
    };
    Router::new()
        .route("/notes/{id}", get(|Path(id): Path<String>| async { id }))
        .route(
            "/who",
            get(
                |Extension(identity): Extension<RequestIdentity>| async move { identity.trace().to_string() },
            ),
        )
        .route("/panic", get(broken))
}

fn router(kit: Kit) -> Router {
    kit.router(app(), Stop::new())
}

async fn ask(router: &Router, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
}

async fn readiness(router: &Router) -> (StatusCode, Value) {
    let response = ask(router, "/ready", &[]).await;
    (response.status(), serde_json::from_str(&text(response).await).unwrap())
}

fn without_latencies(mut body: Value) -> Value {
    for (_, check) in body["checks"].as_object_mut().unwrap() {
        assert!(check["latency_ms"].is_u64(), "{check}");
        check.as_object_mut().unwrap().remove("latency_ms");
    }
    body
}

#[tokio::test]
async fn health_asks_nobody() {
    let router = router(Kit::new("notes", "7").check("database", || async { Err::<(), _>("down") }));
    let response = ask(&router, "/health", &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    let body: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(body, json!({ "status": "alive", "service": "notes", "version": "7" }));
}

#[tokio::test]
async fn ready_when_every_check_says_so() {
    let kit = Kit::new("notes", "1").check("database", || async { Ok::<_, String>(()) });
    let (status, body) = readiness(&router(kit)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        without_latencies(body),
        json!({ "status": "ready", "checks": { "database": { "status": "ok" } } })
    );
}

#[tokio::test]
async fn not_ready_names_the_check_that_failed_and_why() {
    let kit = Kit::new("notes", "1")
        .check("database", || async { Ok::<_, String>(()) })
        .check("queue", || async { Err::<(), _>(std::io::Error::other("connection refused")) })
        .check("broken", || async { if true { panic!("on purpose") } else { Ok::<_, String>(()) } });
    let router = router(kit);
    let (status, body) = readiness(&router).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let expected = json!({ "status": "not-ready", "checks": {
        "database": { "status": "ok" },
        "queue": { "status": "failed", "error": "connection refused" },
        "broken": { "status": "failed", "error": "the check panicked" },
    } });
    assert_eq!(without_latencies(body), expected);

    let outside = text(ask(&router, "/ready", &[("x-forwarded-for", "192.0.2.7")]).await).await;
    assert!(
        outside.contains("\"queue\":{\"status\":\"failed\"") && !outside.contains("refused"),
        "{outside}"
    );
}

#[tokio::test(start_paused = true)]
async fn checks_run_side_by_side_and_have_a_limit() {
    let slow = || async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        Ok::<_, String>(())
    };
    let stuck = || async { std::future::pending::<Result<(), String>>().await };
    let router = router(Kit::new("notes", "1").check("one", slow).check("two", slow).check("stuck", stuck));
    let begun = tokio::time::Instant::now();
    let (status, body) = readiness(&router).await;
    assert_eq!((status, begun.elapsed().as_secs()), (StatusCode::SERVICE_UNAVAILABLE, 5));
    assert_eq!(body["checks"]["one"], json!({ "status": "ok", "latency_ms": 4000 }));
    assert_eq!(body["checks"]["two"], json!({ "status": "ok", "latency_ms": 4000 }));
    assert_eq!(body["checks"]["stuck"]["error"], "no answer within 5 s");
}

#[tokio::test(start_paused = true)]
async fn many_who_ask_at_once_cost_one_round_of_checks() {
    let rounds = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&rounds);
    let router = router(Kit::new("notes", "1").check("database", move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, String>(()) }
    }));
    for _ in 0..20 {
        readiness(&router).await;
    }
    assert_eq!(rounds.load(Ordering::Relaxed), 1);
    tokio::time::advance(Duration::from_millis(300)).await;
    readiness(&router).await;
    assert_eq!(rounds.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn not_ready_while_draining_but_still_answering() {
    let stop = Stop::new();
    let router = Kit::new("notes", "1").router(app(), stop.clone());
    assert_eq!(readiness(&router).await.0, StatusCode::OK);
    stop.request();
    let (status, body) = readiness(&router).await;
    assert_eq!((status, &body["status"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("draining")));
    let response = ask(&router, "/notes/1", &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["connection"], "close");
    assert_eq!(ask(&router, "/health", &[]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn metrics_count_by_route_and_not_by_path() {
    let extra = Counter::<u64>::default();
    extra.inc();
    let kit = Kit::new("notes", "1")
        .register(|registry| registry.register("notes_written", "Notes written", extra.clone()));
    let router = router(kit);
    for path in ["/notes/a?token=canary", "/notes/b", "/no/such/canary"] {
        ask(&router, path, &[]).await;
    }
    let response = ask(&router, "/metrics", &[]).await;
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = text(response).await;
    for line in [
        "http_requests_total{method=\"GET\",route=\"/notes/{id}\",status=\"200\"} 2",
        "http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 1",
        "http_request_duration_seconds_count{method=\"GET\",route=\"/notes/{id}\"} 2",
        "http_request_duration_seconds_bucket{le=\"10.0\",method=\"GET\",route=\"/notes/{id}\"} 2",
        "http_requests_in_flight 1",
        "service_info{name=\"notes\",version=\"1\"} 1",
        "notes_written_total 1",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains("canary"));
}

#[tokio::test]
async fn metrics_are_not_for_the_world() {
    let router = router(Kit::new("notes", "1"));
    for header in ["x-forwarded-for", "forwarded", "via"] {
        assert_eq!(ask(&router, "/metrics", &[(header, "192.0.2.7")]).await.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_request_given_up_is_no_longer_in_flight() {
    let app = Router::new().route("/slow", get(|| async { std::future::pending::<()>().await }));
    let router = Kit::new("notes", "1").router(app, Stop::new());
    let mut given_up = Box::pin(ask(&router, "/slow", &[]));
    assert!(
        std::future::poll_fn(|context| std::task::Poll::Ready(given_up.as_mut().poll(context)))
            .await
            .is_pending()
    );
    drop(given_up);
    let text = text(ask(&router, "/metrics", &[]).await).await;
    assert!(text.contains("route=\"/slow\",status=\"499\"} 1"), "{text}");
    assert!(text.lines().any(|line| line == "http_requests_in_flight 1"), "{text}");
}

#[tokio::test]
async fn a_request_keeps_its_id_and_trace() {
    let router = router(Kit::new("notes", "1"));
    let headers = [("x-request-id", "client-7.a:b_c"), ("traceparent", TRACE_PARENT)];
    let response = ask(&router, "/who", &headers).await;
    assert_eq!(response.headers()["x-request-id"], "client-7.a:b_c");
    let passed_on = text(response).await;
    assert!(
        passed_on.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && passed_on.ends_with("-01"),
        "{passed_on}"
    );
    assert_ne!(passed_on, TRACE_PARENT);
}

#[tokio::test]
async fn a_request_id_that_could_harm_is_replaced() {
    let router = router(Kit::new("notes", "1"));
    let overlong = "a".repeat(129);
    for bad in ["", "a b", "a\"b", "<script>", "a\tb", overlong.as_str()] {
        let response = ask(&router, "/who", &[("x-request-id", bad)]).await;
        let id = response.headers()["x-request-id"].to_str().unwrap();
        assert_eq!(id.len(), 32, "{bad:?} became {id:?}");
    }
}

#[tokio::test]
async fn identity_is_passed_on_as_headers() {
    let mut headers = axum::http::HeaderMap::new();
    headers.insert("x-request-id", "seven".parse().unwrap());
    headers.insert("traceparent", TRACE_PARENT.parse().unwrap());
    headers.insert("tracestate", "vendor=1".parse().unwrap());
    let identity = RequestIdentity::of(&headers);
    let onward = identity.headers();
    assert_eq!(
        (onward["x-request-id"].to_str().unwrap(), onward["tracestate"].to_str().unwrap()),
        ("seven", "vendor=1")
    );
    assert_eq!(onward["traceparent"].to_str().unwrap(), identity.trace().to_string());
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    let router = router(Kit::new("notes", "1"));
    let response = ask(&router, "/panic", &[]).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(response.headers().contains_key("x-request-id"));
    assert_eq!(ask(&router, "/notes/1", &[]).await.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_handler_has_a_limit() {
    let app = Router::new().route("/stuck", get(|| async { std::future::pending::<()>().await }));
    let router = Kit::new("notes", "1").request_limit(Duration::from_secs(7)).router(app, Stop::new());
    let begun = tokio::time::Instant::now();
    let response = ask(&router, "/stuck", &[]).await;
    assert_eq!((response.status(), begun.elapsed().as_secs()), (StatusCode::SERVICE_UNAVAILABLE, 7));
}
