//! Spans of requests at a collector that speaks OTLP.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use seaworthy_gateway::route::{Route, RouteSet, Traces};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::rig::{Rig, Server, free_address, get, raw, route, until};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// A collector in this process.
struct Collector {
    address: SocketAddr,
    spans: Arc<Mutex<Vec<Value>>>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, spans) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<Value>>>::default());
        let kept = spans.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let kept = kept.clone();
                    async move {
                        assert_eq!(request.uri().path(), "/v1/traces");
                        assert_eq!(request.headers()["content-type"], "application/json");
                        let body = request.into_body().collect().await.unwrap().to_bytes();
                        let told: Value = serde_json::from_slice(&body).unwrap();
                        let spans =
                            told["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone();
                        kept.lock().unwrap().extend(spans);
                        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("{}")))
                    }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, spans }
    }

    fn spans(&self) -> Vec<Value> {
        self.spans.lock().unwrap().clone()
    }
}

async fn put(rig: &Rig, listen: SocketAddr, server: &Server, collector: SocketAddr, sample_percent: u32) {
    let traces = Some(Traces { endpoint: format!("http://{collector}"), sample_percent });
    let web = Route { traces, ..route("web", listen, &[server]) };
    rig.client.put("shop", &RouteSet { routes: vec![web] }).await.unwrap();
}

fn attribute(span: &Value, key: &str) -> String {
    let all = span["attributes"].as_array().unwrap();
    let value =
        &all.iter().find(|one| one["key"] == key).unwrap_or_else(|| panic!("{key} in {span}"))["value"];
    let text = value["stringValue"].as_str().or(value["intValue"].as_str());
    text.unwrap().to_owned()
}

async fn ask(listen: SocketAddr, path: &str, flags: &str) {
    let head = format!("GET {path} HTTP/1.1\r\nhost: a\r\ntracestate: a=b\r\n");
    let asked = format!("{head}traceparent: 00-{TRACE}-{PARENT}-{flags}\r\nconnection: close\r\n\r\n");
    assert!(raw(listen, &asked, "\r\n\r\nweb-1").await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_is_told_as_a_part_of_its_trace_and_the_backend_is_part_of_it() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let collector = Collector::start().await;
    put(&rig, listen, &server, collector.address, 100).await;
    ask(listen, "/cart?secret=1", "01").await;
    until(|| async { collector.spans().len() == 1 }).await;
    let span = &collector.spans()[0];
    assert_eq!((&span["traceId"], &span["parentSpanId"]), (&TRACE.into(), &PARENT.into()));
    assert_eq!((&span["name"], &span["kind"]), (&"GET web".into(), &2.into()));
    assert_eq!(attribute(span, "url.path"), "/cart");
    assert_eq!(attribute(span, "http.response.status_code"), "200");
    assert_eq!(
        (attribute(span, "seaworthy.project"), attribute(span, "seaworthy.backend")),
        ("shop".into(), "web-1".into())
    );
    let own = span["spanId"].as_str().unwrap();
    assert_eq!(server.last().header("traceparent"), format!("00-{TRACE}-{own}-01"));
    assert_eq!(server.last().header("tracestate"), "a=b");
    // One that begins here has no parent; one that nobody wishes to be told is not.
    ask(listen, "/", "00").await;
    assert_eq!(server.last().header("traceparent"), format!("00-{TRACE}-{PARENT}-00"));
    get(listen, "GET", "/").await;
    until(|| async { collector.spans().len() == 2 }).await;
    let span = &collector.spans()[1];
    assert!(span.get("parentSpanId").is_none());
    let told = (span["traceId"].as_str().unwrap(), span["spanId"].as_str().unwrap());
    assert_eq!(server.last().header("traceparent"), format!("00-{}-{}-01", told.0, told.1));
    let metrics = rig.client.metrics().await.unwrap();
    assert!(metrics.contains("spans_total{outcome=\"sent\"} 2\n"), "{metrics}");
    // None of those that begin here.
    put(&rig, listen, &server, collector.address, 0).await;
    get(listen, "GET", "/").await;
    assert!(server.last().header("traceparent").ends_with("-00"));
    ask(listen, "/last", "01").await;
    until(|| async { collector.spans().len() == 3 }).await;
    assert_eq!(attribute(&collector.spans()[2], "url.path"), "/last");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_slow_or_gone_is_in_nobodys_way() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    // It takes connections, and nothing else.
    let slow = TcpListener::bind("127.0.0.1:0").await.unwrap();
    put(&rig, listen, &server, slow.local_addr().unwrap(), 100).await;
    let begun = Instant::now();
    let stream = tokio::net::TcpStream::connect(listen).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    // More than wait for it.
    for _ in 0..6_000 {
        let asked = Request::get("/").header("host", "a").body(Full::<Bytes>::default()).unwrap();
        let answer = sender.send_request(asked).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.into_body().collect().await.unwrap();
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(120), "{took:?} for what waits for nobody");
    let dropped = |metrics: &str| {
        let line = metrics.lines().find_map(|line| line.split_once("spans_total{outcome=\"dropped\"} "));
        line.and_then(|(_, count)| count.parse::<u64>().ok()).unwrap_or(0)
    };
    until(|| async { dropped(&rig.client.metrics().await.unwrap()) > 0 }).await;
    drop(slow);
    get(listen, "GET", "/").await;
}
