//! What happens to a request: routed, forwarded, retried where that is safe, drained, told.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "code of tests")]

#[path = "support/place.rs"]
mod place;

use std::sync::atomic::Ordering;
use std::time::Duration;

use place::{Connection, Place, TestBackend, ask, get, route, wait_until};
use seaworthy_gateway::route::{Backend, RouteSet};

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_path_and_a_named_host_win() {
    let place = Place::start().await;
    let backends = ["any.1", "api.1", "host.1"].map(TestBackend::start);
    let to = |index: usize| {
        let backend: &TestBackend = &backends[index];
        vec![Backend { id: backend.id.clone(), address: backend.address }]
    };
    let mut named = route(place.listen, Some("shop.example"), "/", None, to(2));
    named.name = "named".into();
    let routes = vec![
        route(place.listen, None, "/", None, to(0)),
        route(place.listen, None, "/api", None, to(1)),
        named,
    ];
    place.client.put("shop", &RouteSet { routes }).await.unwrap();
    let by = |host: &str, path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        ask(place.listen, &request).unwrap().by().to_owned()
    };
    assert_eq!(by("x", "/"), "any.1");
    assert_eq!(by("x", "/api"), "api.1");
    assert_eq!(by("x", "/api/1?q=2"), "api.1");
    assert_eq!(by("x", "/apish"), "any.1");
    assert_eq!(by("SHOP.example:8080", "/api"), "host.1");
    place
        .client
        .put("shop", &RouteSet { routes: vec![route(place.listen, None, "/api", None, to(1))] })
        .await
        .unwrap();
    assert_eq!(get(place.listen, "/other").unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_made_fit_on_both_ways() {
    let place = Place::start().await;
    let backend = TestBackend::start("a.1");
    place.client.put("shop", &place.set(&[&backend])).await.unwrap();
    let request = "GET /x HTTP/1.1\r\nhost: shop.example\r\nconnection: keep-alive, x-drop\r\nx-drop: 1\r\n\
                   x-forwarded-for: 10.1.1.1\r\nx-request-id: abc-123\r\n\
                   traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nte: trailers\r\n\r\n";
    let got = ask(place.listen, request).unwrap();
    let seen = got.body.to_ascii_lowercase();
    for there in [
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-host: shop.example",
        "x-forwarded-proto: http",
        "x-request-id: abc-123",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c",
        "host: shop.example",
    ] {
        assert!(seen.contains(there), "`{there}` in {seen}");
    }
    for gone in ["x-drop", "connection:", "\nte:"] {
        assert!(!seen.contains(gone), "`{gone}` in {seen}");
    }
    let head = got.head.to_ascii_lowercase();
    assert!(head.contains("x-request-id: abc-123"), "{head}");
    assert!(!head.contains("server:") && !head.contains("x-private"), "{head}");
    let made = get(place.listen, "/").unwrap().body.to_ascii_lowercase();
    assert!(made.contains("x-request-id: ") && made.contains("traceparent: 00-"), "{made}");
    let bad = ask(place.listen, "GET / HTTP/1.1\r\nhost: x\r\nx-request-id: a\"b\r\n\r\n").unwrap();
    assert!(!bad.body.contains("a\"b"), "an identity of the wrong form is replaced");
}

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_and_unfit_requests_are_refused() {
    let place = Place::start().await;
    let backend = TestBackend::start("a.1");
    place.client.put("shop", &place.set(&[&backend])).await.unwrap();
    let refused = [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc", 400),
    ];
    for (request, status) in refused {
        assert_eq!(ask(place.listen, request).unwrap().status(), status, "{request}");
    }
    // Both lengths: the chunked one counts and the other is not passed on, or it is refused; never both.
    let both =
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let got = ask(place.listen, both);
    let passed =
        got.is_ok_and(|got| got.status() == 200 && got.body.to_ascii_lowercase().contains("content-length"));
    assert!(!passed, "two lengths reach no backend");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_backend_costs_no_request_and_comes_back() {
    let place = Place::start().await;
    let (dead, alive) = (TestBackend::start("dead.1"), TestBackend::start("alive.1"));
    place.client.put("shop", &place.set(&[&dead, &alive])).await.unwrap();
    dead.stop();
    for _ in 0..50 {
        assert_eq!(get(place.listen, "/").unwrap().by(), "alive.1");
    }
    let is_well = |status: &seaworthy_gateway::Status| {
        status.projects[0].backends.iter().find(|backend| backend.id == "dead.1").unwrap().well
    };
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while is_well(&place.client.status().await.unwrap()) {
        assert!(std::time::Instant::now() < deadline, "it is taken out");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let _back = TestBackend::start_at("dead.1", dead.address);
    wait_until("it gets requests again", || get(place.listen, "/").unwrap().by() == "dead.1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_may_be_repeated_is_sent_again() {
    let place = Place::start().await;
    let (cutting, alive) = (TestBackend::start("cutting.1"), TestBackend::start("alive.1"));
    cutting.cuts.store(true, Ordering::SeqCst);
    let mut set = place.set(&[&cutting, &alive]);
    // Left out for what it does it would not be asked; and every second request needs another try.
    set.routes[0].balancing.ejection.after = 0;
    set.routes[0].balancing.retry_percent = 100;
    place.client.put("shop", &set).await.unwrap();
    let (mut served, mut failed) = (0, 0);
    for number in 0..40 {
        let put = format!("PUT /{number} HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc");
        assert_eq!(ask(place.listen, &put).unwrap().by(), "alive.1", "a PUT is sent again");
    }
    for number in 0..40 {
        let post = format!("POST /{number} HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc");
        match ask(place.listen, &post).unwrap().status() {
            200 => served += 1,
            502 => failed += 1,
            other => panic!("{other}"),
        }
    }
    assert!(
        served > 0 && failed > 0,
        "a POST that was cut is told, not sent again: {served} served, {failed} failed"
    );
    assert_eq!(alive.served.load(Ordering::SeqCst), 40 + served, "no POST was served twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_waits_for_requests_in_flight() {
    let place = Place::start().await;
    let (old, new) = (TestBackend::start("old.1"), TestBackend::start("new.1"));
    place.client.put("shop", &place.set(&[&old])).await.unwrap();
    let listen = place.listen;
    let slow = std::thread::spawn(move || get(listen, "/slow").unwrap());
    wait_until("the slow request is in flight", || old.served.load(Ordering::SeqCst) == 1).await;
    place.client.put("shop", &place.set(&[&new])).await.unwrap();
    let ids = ["old.1".to_owned()];
    let left = place.client.drain("shop", &ids, Duration::from_millis(50)).await.unwrap();
    assert_eq!(left, 1, "a drain that is cut short tells what is left");
    assert_eq!(get(place.listen, "/").unwrap().by(), "new.1");
    assert_eq!(place.client.drain("shop", &ids, Duration::from_secs(5)).await.unwrap(), 0);
    assert_eq!(slow.join().unwrap().by(), "old.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_backend_the_answer_is_503_with_retry_after() {
    let place = Place::start().await;
    place.client.put("shop", &place.set(&[])).await.unwrap();
    let got = get(place.listen, "/").unwrap();
    assert_eq!(got.status(), 503);
    assert!(got.head.to_ascii_lowercase().contains("retry-after: 1"), "{}", got.head);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_logged_and_counted_without_their_query() {
    let place = Place::start().await;
    let backend = TestBackend::start("a.1");
    place.client.put("shop", &place.set(&[&backend])).await.unwrap();
    let mut kept = Connection::open(place.listen).unwrap();
    for _ in 0..3 {
        kept.get("/login?token=canary").unwrap();
    }
    let path = place.state().join("gateway/access.log");
    wait_until("three lines are written", || {
        std::fs::read_to_string(&path).is_ok_and(|log| log.lines().count() == 3)
    })
    .await;
    let log = std::fs::read_to_string(&path).unwrap();
    let line: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(
        (line["path"].as_str(), line["status"].as_u64(), line["backend"].as_str()),
        (Some("/login"), Some(200), Some("a.1"))
    );
    assert!(!log.contains("canary"));
    let metrics = place.client.metrics().await.unwrap();
    let counted =
        "seaworthy_gateway_requests_total{project=\"shop\",route=\"web\",backend=\"a.1\",code=\"200\"} 3";
    assert!(metrics.contains(counted), "{metrics}");
    assert!(
        metrics.contains("seaworthy_gateway_backend_up{project=\"shop\",route=\"web\",backend=\"a.1\"} 1"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_on_the_admin_socket_harms_nothing() {
    use std::io::{Read, Write};
    let place = Place::start().await;
    let path = place.state().join("gateway/admin.sock");
    for nonsense in [
        "",
        "\n",
        "{}\n",
        "{\"version\":2}\n",
        "{\"version\":7,\"ask\":{\"verb\":\"status\"}}\n",
        "\u{0}\u{1}\n",
        "{\"version\":2,\"ask\":{\"verb\":\"put\",\"project\":\"x\",\"set\":{\"routes\":[{}]}}}\n",
    ] {
        let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
        stream.write_all(nonsense.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.is_empty() || answer.contains("refused"), "{nonsense:?}: {answer}");
    }
    assert!(place.client.status().await.unwrap().projects.is_empty());
}
