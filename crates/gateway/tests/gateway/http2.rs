//! HTTP/2: over TLS and without, many requests at a time, and no request lost when routes or workers change.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustix::process::{Pid, Signal, kill_process};
use seaworthy_gateway::route::tls::CertificateSource;
use seaworthy_gateway::route::{Backend, Route, RouteSet};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::rig::{
    Http2, PATIENCE, Rig, Server, Visitor, free_address, get, http2_over, route, secure, set, until, whole,
};
use crate::swap::{swap_often, told, two_served};

const SHOP: &str = "shop.example";

fn request(target: &str) -> Request<Full<Bytes>> {
    Request::builder().uri(format!("http://{SHOP}{target}")).body(Full::default()).unwrap()
}

async fn plain(address: std::net::SocketAddr) -> Http2 {
    http2_over(TcpStream::connect(address).await.unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_spoken_over_tls_and_by_agreement_before() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    let mut web = secure("web", listen, SHOP, CertificateSource::SelfSigned, &[&server]);
    web.tls.as_mut().unwrap().redirect = false;
    rig.client.put("shop", &RouteSet { routes: vec![web] }).await.unwrap();
    let file = rig.file("certificates/self-signed/shop.example.pem");
    let answer = Visitor::http2(&file).get(listen, SHOP, "/a?b").await.unwrap();
    assert_eq!((answer.status(), answer.body().as_ref()), (StatusCode::OK, &b"web-1"[..]));
    assert_eq!(answer.version(), hyper::Version::HTTP_2);
    let seen = server.last();
    assert_eq!((seen.header("host"), seen.header("x-forwarded-proto")), (SHOP, "https"));
    assert_eq!(seen.target, "/a?b");

    let mut sender = plain(listen).await;
    let mut asked = request("/hops");
    for crumb in ["a=1", "b=2"] {
        asked.headers_mut().append("cookie", crumb.parse().unwrap());
    }
    let answer = whole(sender.send_request(asked).await.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(!answer.headers().contains_key("keep-alive") && !answer.headers().contains_key("connection"));
    let seen = server.last();
    assert_eq!(seen.header("x-forwarded-proto"), "http");
    // Over HTTP/1.1 there is one of it (RFC 9113, section 8.2.3).
    assert_eq!(seen.headers.get_all("cookie").iter().collect::<Vec<_>>(), ["a=1; b=2"]);

    // A slow answer holds none of the others up.
    let slow = tokio::spawn(sender.send_request(request("/held")));
    until(|| async { server.arrived() == 3 }).await;
    for _ in 0..10 {
        assert_eq!(sender.send_request(request("/")).await.unwrap().status(), StatusCode::OK);
    }
    server.release();
    assert_eq!(slow.await.unwrap().unwrap().status(), StatusCode::OK);

    // Another protocol inside is refused without harm to the connection.
    let connect = Request::connect("shop.example:80").body(Full::default()).unwrap();
    assert_eq!(sender.send_request(connect).await.unwrap().status(), StatusCode::NOT_IMPLEMENTED);
    assert_eq!(sender.send_request(request("/")).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_beyond_the_limit_are_refused_and_others_go_on() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let mut sender = plain(listen).await;
    let mut flood = request("/");
    flood.headers_mut().insert("x-flood", "a".repeat(70 << 10).parse().unwrap());
    let refused = match sender.send_request(flood).await {
        Ok(answer) => answer.status() == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Err(_) => true,
    };
    assert!(refused);
    assert_eq!(server.arrived(), 0);
    assert_eq!(plain(listen).await.send_request(request("/")).await.unwrap().status(), StatusCode::OK);
}

/// A backend that speaks HTTP/2 alone and answers as gRPC does: what it was sent, then how it went.
async fn call_taker() -> Backend {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(|request: Request<Incoming>| async {
                let asked_for = request.headers().get("te").is_some_and(|te| te == "trailers");
                let path = request.uri().to_string();
                let body = request.into_body().collect().await?;
                let sent = body.trailers().and_then(|all| all.get("x-sent").cloned());
                let status = if asked_for { "0" } else { "3" };
                let trailers = HeaderMap::from_iter([
                    ("grpc-status".parse().unwrap(), status.parse().unwrap()),
                    ("x-path".parse().unwrap(), path.parse().unwrap()),
                    ("x-sent".parse().unwrap(), sent.unwrap_or_else(|| "nothing".parse().unwrap())),
                ]);
                let answer = Full::new(body.to_bytes()).with_trailers(async move { Some(Ok(trailers)) });
                Ok::<_, hyper::Error>(
                    Response::builder().header("content-type", "application/grpc").body(answer).unwrap(),
                )
            });
            let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
        }
    });
    Backend { id: "calls-1".to_owned(), address }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_with_trailers_pass_from_end_to_end() {
    let (rig, listen) = (Rig::start().await, free_address());
    let taker = call_taker().await;
    let calls = Route { http2: true, probe: None, backends: vec![taker], ..route("calls", listen, &[]) };
    rig.client.put("shop", &RouteSet { routes: vec![calls] }).await.unwrap();
    let stream = TcpStream::connect(listen).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..3 {
        let trailers = HeaderMap::from_iter([("x-sent".parse().unwrap(), "yes".parse().unwrap())]);
        let body = Full::new(Bytes::from("message")).with_trailers(async move { Some(Ok(trailers)) });
        let call = Request::post(format!("http://{SHOP}/shop.Orders/Place"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Box::pin(body))
            .unwrap();
        let answer = sender.send_request(call).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let body = answer.into_body().collect().await.unwrap();
        let trailers = body.trailers().expect("trailers").clone();
        assert_eq!(body.to_bytes(), "message");
        assert_eq!(trailers["grpc-status"], "0");
        assert_eq!(trailers["x-sent"], "yes");
        assert_eq!(trailers["x-path"], format!("http://{SHOP}/shop.Orders/Place").as_str());
    }
    // Whoever speaks HTTP/1.1 is answered all the same.
    assert_eq!(get(listen, "GET", "/").await.status(), StatusCode::OK);
}

/// Clients that keep one connection each as long as it is kept, with several requests at a time.
pub(crate) struct Crowd {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    clients: JoinSet<Vec<String>>,
}

impl Crowd {
    pub(crate) fn start(address: std::net::SocketAddr, clients: usize) -> Self {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let mut set = JoinSet::new();
        for _ in 0..clients {
            set.spawn(work(address, stop.clone(), answered.clone()));
        }
        Self { stop, answered, clients: set }
    }

    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::SeqCst)
    }

    pub(crate) async fn stop(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::SeqCst);
        let failures = self.clients.join_all().await.concat();
        (self.answered.load(Ordering::SeqCst), failures)
    }
}

async fn work(address: std::net::SocketAddr, stop: Arc<AtomicBool>, answered: Arc<AtomicU64>) -> Vec<String> {
    let mut failures = Vec::new();
    let mut kept = plain(address).await;
    while !stop.load(Ordering::SeqCst) {
        // A connection that said goodbye is not asked again.
        let ready = timeout(PATIENCE, kept.ready()).await;
        if !matches!(ready, Ok(Ok(()))) || kept.is_closed() {
            kept = plain(address).await;
            continue;
        }
        let mut asked: JoinSet<_> =
            (0..4).map(|_| timeout(PATIENCE, kept.send_request(request("/")))).collect();
        while let Some(answer) = asked.join_next().await {
            let Ok(answer) = answer.unwrap() else {
                failures.push("no answer in time".to_owned());
                continue;
            };
            match answer {
                Ok(answer) if answer.status() == StatusCode::OK => match whole(answer).await {
                    Ok(_) => _ = answered.fetch_add(1, Ordering::SeqCst),
                    Err(error) => failures.push(format!("body: {error:?}")),
                },
                Ok(answer) => failures.push(answer.status().to_string()),
                // It was never processed, as the goodbye says: a client sends it again (RFC 9113, section 6.8).
                Err(error) if is_unprocessed(&error) => {}
                Err(error) => failures.push(format!("{error:?}")),
            }
        }
    }
    failures
}

fn is_unprocessed(error: &hyper::Error) -> bool {
    use std::error::Error;
    let said = error.source().map(|source| source.to_string()).unwrap_or_default();
    error.is_canceled() || said.contains("not a result of an error") || said.contains("refused stream")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_swaps_fail_no_request_and_leak_nothing() {
    let (rig, listen) = (Rig::start().await, free_address());
    let old = two_served(&rig, listen).await;
    let crowd = Crowd::start(listen, 4);
    let (swaps, _last) = swap_often(&rig, listen, old).await;
    let (answered, failures) = crowd.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered}: {}", told(&rig));
    assert!(answered > 2 * swaps as u64, "{answered} requests are no load for {swaps} swaps");
}

#[tokio::test(flavor = "multi_thread")]
async fn swaps_and_new_workers_fail_no_request() {
    let (rig, listen) = (Rig::start().await, free_address());
    let mut old = Server::start("0").await;
    rig.client.put("shop", &set(listen, &[&old])).await.unwrap();
    let crowd = Crowd::start(listen, 4);
    for round in 1..=60 {
        let new = Server::start(&round.to_string()).await;
        rig.client.put("shop", &set(listen, &[&new])).await.unwrap();
        let ids = [old.name.clone()];
        assert_eq!(rig.client.drain("shop", &ids, PATIENCE).await.unwrap(), 0);
        old.kill().await;
        old = new;
        if round % 20 == 0 {
            let worker = rig.client.status().await.unwrap().process;
            kill_process(Pid::from_raw(worker.cast_signed()).unwrap(), Signal::TERM).unwrap();
            until(|| async { rig.client.status().await.is_ok_and(|status| status.process != worker) }).await;
            // What it was just sent it still answers, and the next one knows nothing of that: its backend stays so long.
            until(|| async { !rig.processes("work").contains(&worker.cast_signed()) }).await;
        }
    }
    let before = crowd.answered();
    until(|| async { crowd.answered() > before + 20 }).await;
    let (answered, failures) = crowd.stop().await;
    assert_eq!(failures, Vec::<String>::new(), "of {answered}");
    assert!(answered > 200, "{answered} requests are no load");
}
