//! Spans of requests at a collector that speaks OTLP.

mod collector;

use std::net::SocketAddr;

use rustix::process::Signal;
use seaworthy_gateway::route::{Route, RouteSet, Traces};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::rig::{Pair, Rig, Server, free_address, get, raw, route, until};
use collector::Collector;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

fn to(endpoint: String) -> Traces {
    Traces { endpoint, sample_percent: 100, service_name: None, headers: None, roots: None }
}

fn traced(listen: SocketAddr, servers: &[&Server], traces: Traces) -> RouteSet {
    RouteSet { routes: vec![Route { traces: Some(traces), ..route("web", listen, servers) }] }
}

fn attribute(span: &Value, key: &str) -> String {
    let all = span["attributes"].as_array().unwrap();
    let found = all.iter().find(|one| one["key"] == key);
    let value = found.map(|one| one["value"].clone()).unwrap_or_default();
    value["stringValue"].as_str().or(value["intValue"].as_str()).unwrap_or_default().to_owned()
}

async fn ask(listen: SocketAddr, path: &str, flags: &str) {
    let head =
        format!("GET {path} HTTP/1.1\r\nhost: shop.example:81\r\nuser-agent: probe\r\ntracestate: a=b\r\n");
    let asked = format!("{head}traceparent: cc-{TRACE}-{PARENT}-{flags}\r\nconnection: close\r\n\r\n");
    assert!(raw(listen, &asked, "\r\n\r\nweb-1").await.starts_with("HTTP/1.1 200 "));
}

/// How many spans have met with this.
async fn counted(rig: &Rig, outcome: &str) -> u64 {
    let metrics = rig.client.metrics().await.unwrap();
    let name = format!("seaworthy_gateway_spans_total{{outcome=\"{outcome}\"}} ");
    let found = metrics.lines().find_map(|line| line.strip_prefix(name.as_str()));
    found.unwrap_or_else(|| panic!("{metrics}")).parse().unwrap()
}

fn log(rig: &Rig) -> String {
    std::fs::read_to_string(rig.file("gateway.log")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_is_told_as_a_part_of_its_trace_and_the_backend_is_part_of_it() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let collector = Collector::start().await;
    let mut traces = to(format!("http://{}/otlp/", collector.address));
    rig.client.put("shop", &traced(listen, &[&server], traces.clone())).await.unwrap();
    ask(listen, "/cart?secret=1", "01").await;
    until(|| async { collector.requests().len() == 1 }).await;
    let (path, headers) = &collector.batches()[0];
    assert_eq!(
        (path.as_str(), &headers["content-type"]),
        ("/otlp/v1/traces", &"application/json".parse().unwrap())
    );
    let span = &collector.requests()[0];
    assert_eq!((&span["traceId"], &span["parentSpanId"]), (&TRACE.into(), &PARENT.into()));
    assert_eq!((&span["name"], &span["service"]), (&"GET web".into(), &"seaworthy-gateway".into()));
    for (key, expected) in [
        ("url.path", "/cart"),
        ("url.scheme", "http"),
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("server.address", "shop.example"),
        ("client.address", "127.0.0.1"),
        ("network.protocol.version", "1.1"),
        ("user_agent.original", "probe"),
        ("seaworthy.project", "shop"),
        ("seaworthy.backend", "web-1"),
    ] {
        assert_eq!(attribute(span, key), expected, "{key}");
    }
    assert!(!span.to_string().contains("secret"), "{span}");
    let tries = collector.tries(span);
    let [one] = tries.as_slice() else { panic!("{tries:?}") };
    assert_eq!(attribute(one, "server.port"), server.address.port().to_string());
    let own = one["spanId"].as_str().unwrap();
    assert_eq!(server.last().header("traceparent"), format!("00-{TRACE}-{own}-01"));
    assert_eq!(server.last().header("tracestate"), "a=b");

    // One that nobody wishes to be told is not; one that begins here has no parent.
    ask(listen, "/", "00").await;
    assert_eq!(server.last().header("traceparent"), format!("cc-{TRACE}-{PARENT}-00"));
    get(listen, "GET", "/").await;
    until(|| async { collector.requests().len() == 2 }).await;
    let span = &collector.requests()[1];
    assert!(span.get("parentSpanId").is_none());
    let (trace, own) = (span["traceId"].as_str().unwrap(), collector.tries(span)[0]["spanId"].clone());
    assert_eq!(server.last().header("traceparent"), format!("00-{trace}-{}-01", own.as_str().unwrap()));
    assert_eq!((counted(&rig, "sent").await, counted(&rig, "dropped").await), (2, 0));

    // None of those that begin here.
    (traces.sample_percent, traces.service_name) = (0, Some("edge".into()));
    rig.client.put("shop", &traced(listen, &[&server], traces)).await.unwrap();
    get(listen, "GET", "/").await;
    assert!(server.last().header("traceparent").ends_with("-00"));
    ask(listen, "/last", "03").await;
    until(|| async { collector.requests().len() == 3 }).await;
    let last = &collector.requests()[2];
    assert_eq!((attribute(last, "url.path").as_str(), &last["service"]), ("/last", &"edge".into()));
    assert!(server.last().header("traceparent").ends_with("-03"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_try_at_a_backend_is_a_span() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (mut dead, alive) = (Server::start("dead").await, Server::start("alive").await);
    let collector = Collector::start().await;
    let set = traced(listen, &[&dead, &alive], to(format!("http://{}", collector.address)));
    dead.kill().await;
    rig.client.put("shop", &set).await.unwrap();
    let retried = || collector.requests().into_iter().find(|span| collector.tries(span).len() == 2);
    until(|| async {
        assert_eq!(get(listen, "GET", "/").await.body(), "alive");
        retried().is_some()
    })
    .await;
    let span = retried().unwrap();
    let tries = collector.tries(&span);
    let names: Vec<String> = tries.iter().map(|one| attribute(one, "seaworthy.backend")).collect();
    assert_eq!(names, ["dead", "alive"]);
    assert_eq!(
        (attribute(&tries[0], "error.type").as_str(), &tries[0]["status"]["code"]),
        ("unreachable", &2.into())
    );
    assert_eq!(attribute(&tries[1], "http.request.resend_count"), "1");
    assert_eq!(attribute(&tries[1], "http.response.status_code"), "200");
    assert!(span["status"].get("code").is_none() && tries[1]["status"].get("code").is_none());
}

/// Requests of each of the clients that ask much.
const EACH: usize = 650;

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_takes_nothing_is_in_nobodys_way() {
    let (rig, listen) = (Rig::start().await, free_address());
    let collector = Collector::start().await;
    collector.hold(true);
    // Nobody is there to be asked: the gateway answers by itself.
    rig.client.put("shop", &traced(listen, &[], to(format!("http://{}", collector.address)))).await.unwrap();
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        clients.spawn(async move {
            let (mut read, mut write) = TcpStream::connect(listen).await.unwrap().into_split();
            // All together more than wait for it, one behind the other.
            let asked = "GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(EACH);
            // Kept open until all is answered: who closes it is taken to have left.
            let _writing = tokio::spawn(async move {
                write.write_all(asked.as_bytes()).await.unwrap();
                write
            });
            let (mut answered, mut buffer) = (String::new(), [0; 8192]);
            while answered.matches("HTTP/1.1 503 ").count() < EACH {
                let length = read.read(&mut buffer).await.unwrap();
                assert!(length > 0, "cut after {} bytes", answered.len());
                answered.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
            }
        });
    }
    while let Some(done) = clients.join_next().await {
        done.unwrap();
    }
    assert!(counted(&rig, "dropped").await > 0);
    // What waited is taken once it takes anything.
    collector.hold(false);
    until(|| async { counted(&rig, "sent").await + counted(&rig, "dropped").await == 8 * EACH as u64 }).await;
    let told: std::collections::HashSet<String> =
        collector.requests().iter().map(|span| span["spanId"].to_string()).collect();
    assert!(told.len() as u64 >= counted(&rig, "sent").await && told.len() > 1_000, "{}", told.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_sent_again_where_its_collector_asks_for_that_alone() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let collector = Collector::start().await;
    let set = |endpoint| traced(listen, &[&server], to(endpoint));
    rig.client.put("shop", &set(format!("http://{}", collector.address))).await.unwrap();
    collector.next(&[(429, "0"), (503, "")]);
    get(listen, "GET", "/first").await;
    until(|| async { collector.requests().len() == 1 }).await;
    assert_eq!((collector.batches().len(), counted(&rig, "dropped").await), (3, 0));
    // This one will never be taken.
    collector.next(&[(500, "")]);
    get(listen, "GET", "/second").await;
    until(|| async { counted(&rig, "dropped").await == 1 }).await;
    assert_eq!((collector.batches().len(), collector.requests().len()), (4, 1));
    assert!(log(&rig).contains("left out: the collector answered 500"), "{}", log(&rig));
    // A part of this one.
    collector.says(r#"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}"#);
    get(listen, "GET", "/third").await;
    until(|| async { counted(&rig, "dropped").await == 2 }).await;
    assert_eq!(log(&rig).matches("are taken at").count(), 1, "{}", log(&rig));
    // Nobody is there at all.
    let gone = free_address();
    rig.client.put("shop", &set(format!("http://{gone}"))).await.unwrap();
    assert_eq!(get(listen, "GET", "/fourth").await.status(), 200);
    until(|| async { counted(&rig, "dropped").await == 3 }).await;
    assert!(log(&rig).contains("the collector cannot be reached: "), "{}", log(&rig));
}

#[tokio::test(flavor = "multi_thread")]
async fn collectors_come_and_go_with_their_routes() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let collector = Collector::start().await;
    // More than there may be at a time.
    for number in 0..20 {
        let traces = to(format!("http://{}/{number}", collector.address));
        rig.client.put("shop", &traced(listen, &[&server], traces)).await.unwrap();
        get(listen, "GET", "/").await;
    }
    until(|| async { collector.requests().len() == 20 }).await;
    assert_eq!(counted(&rig, "dropped").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_ends_tells_what_it_has() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let collector = Collector::start().await;
    let set = traced(listen, &[&server], to(format!("http://{}", collector.address)));
    rig.client.put("shop", &set).await.unwrap();
    let held = tokio::spawn(async move { get(listen, "GET", "/held").await.status() });
    until(|| async { server.arrived() == 1 }).await;
    let before = rig.signal("work", Signal::TERM).await;
    until(|| async { rig.client.status().await.is_ok_and(|status| status.process != before.unsigned_abs()) })
        .await;
    // While the worker before waits for its last request, its successor serves.
    assert_eq!(get(listen, "GET", "/meanwhile").await.status(), 200);
    server.release();
    assert_eq!(held.await.unwrap(), 200);
    until(|| async { collector.requests().len() == 2 }).await;
    let mut paths: Vec<String> =
        collector.requests().iter().map(|span| attribute(span, "url.path")).collect();
    paths.sort();
    assert_eq!(paths, ["/held", "/meanwhile"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_known_by_its_certificate_and_gets_its_headers() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let pair = Pair::write(rig.folder(), "localhost");
    let collector = Collector::secure(&pair).await;
    let headers = rig.folder().join("otlp.headers");
    let traces = Traces {
        headers: Some(headers.clone()),
        roots: Some(pair.certificate.clone()),
        ..to(format!("https://localhost:{}", collector.address.port()))
    };
    let refused = rig.client.check("shop", &traced(listen, &[&server], traces.clone())).await.unwrap_err();
    let told = refused.to_string();
    assert!(told.contains("otlp.headers") && told.contains("there is no such file"), "{told}");
    std::fs::write(&headers, "api-key=first%20one").unwrap();
    rig.client.check("shop", &traced(listen, &[&server], traces.clone())).await.unwrap();
    rig.client.put("shop", &traced(listen, &[&server], traces.clone())).await.unwrap();
    get(listen, "GET", "/").await;
    until(|| async { collector.requests().len() == 1 }).await;
    assert_eq!(collector.batches()[0].1["api-key"], "first one");
    // Taken up without a word, as keys are changed.
    std::fs::write(&headers, "api-key=second").unwrap();
    get(listen, "GET", "/").await;
    until(|| async { collector.requests().len() == 2 }).await;
    assert_eq!(collector.batches()[1].1["api-key"], "second");
    let snapshot = std::fs::read_to_string(rig.file("snapshot.json")).unwrap();
    assert!(snapshot.contains("otlp.headers") && !snapshot.contains("second"), "{snapshot}");
    // Another one under its name is not told anything.
    let stranger = Pair::write(&rig.folder().join("gateway"), "localhost");
    let traces = Traces { roots: Some(stranger.certificate.clone()), ..traces };
    rig.client.put("shop", &traced(listen, &[&server], traces)).await.unwrap();
    assert_eq!(get(listen, "GET", "/").await.status(), 200);
    until(|| async { counted(&rig, "dropped").await == 1 }).await;
    assert!(!log(&rig).contains("second"), "{}", log(&rig));
    assert_eq!(collector.requests().len(), 2);
    // The file is mended where it lies: no deploy is needed.
    std::fs::copy(&pair.certificate, &stranger.certificate).unwrap();
    get(listen, "GET", "/").await;
    until(|| async { collector.requests().len() == 3 }).await;
}

#[test]
fn a_set_from_before_says_nothing_of_traces() {
    let listen = "127.0.0.1:80".parse().unwrap();
    let silent = RouteSet { routes: vec![route("web", listen, &[])] };
    let text = serde_json::to_string(&silent).unwrap();
    assert!(!text.contains("traces"), "{text}");
    assert_eq!(serde_json::from_str::<RouteSet>(&text).unwrap(), silent);
    for wrong in ["ftp://a", "a:4318", "http://", ""] {
        assert!(traced(listen, &[], to(wrong.into())).contradiction().is_some(), "{wrong}");
    }
}
