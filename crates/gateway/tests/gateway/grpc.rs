//! Backends that are asked by gRPC's health protocol.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use seaworthy_gateway::route::{Backend, Probe, Route, RouteSet};
use tokio::net::TcpListener;

use crate::rig::{Rig, Server, free_address, get, quick_probe, route, until};

const SERVING: u8 = 1;
const NOT_SERVING: u8 = 2;

/// A server of gRPC that knows one service, `shop.Orders`, and says how it is.
struct Orders {
    address: SocketAddr,
    status: Arc<AtomicU8>,
    asked: Arc<AtomicUsize>,
}

impl Orders {
    async fn start(status: u8) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (status, asked) = (Arc::new(AtomicU8::new(status)), Arc::<AtomicUsize>::default());
        let (told, counted) = (status.clone(), asked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (told, counted) = (told.clone(), counted.clone());
                let service = service_fn(move |request| {
                    counted.fetch_add(1, Ordering::SeqCst);
                    answer(request, told.load(Ordering::SeqCst))
                });
                let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, status, asked }
    }

    fn backend(&self, id: &str) -> Backend {
        Backend { id: id.to_owned(), address: self.address }
    }
}

async fn answer(
    request: Request<Incoming>,
    status: u8,
) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = std::convert::Infallible>>, hyper::Error> {
    let checked = request.uri().path() == "/grpc.health.v1.Health/Check";
    let fits = request.headers().get("content-type").is_some_and(|kind| kind == "application/grpc")
        && request.headers().get("te").is_some_and(|te| te == "trailers");
    let asked = request.into_body().collect().await?.to_bytes();
    let (code, message) = match (checked && fits, &asked[..]) {
        (true, b"\0\0\0\0\x0d\x0a\x0bshop.Orders" | b"\0\0\0\0\0") => ("0", vec![0, 0, 0, 0, 2, 8, status]),
        (true, _) => ("5", Vec::new()),
        (false, _) => ("12", Vec::new()),
    };
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), code.parse().unwrap())]);
    let body = Full::new(Bytes::from(message)).with_trailers(async move { Some(Ok(trailers)) });
    // Boxed, as what it waits for cannot be moved.
    Ok(Response::builder().header("content-type", "application/grpc").body(Box::pin(body)).unwrap())
}

fn asks(service: &str) -> Option<Probe> {
    Some(Probe { grpc: Some(service.to_owned()), ..quick_probe() })
}

async fn well(rig: &Rig) -> Vec<String> {
    let status = rig.client.status().await.unwrap();
    let backends = status.projects.into_iter().flat_map(|project| project.backends);
    backends.filter(|backend| backend.well).map(|backend| backend.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_not_serving_gets_no_calls_until_it_serves() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (one, two) = (Orders::start(SERVING).await, Orders::start(SERVING).await);
    let calls = Route {
        http2: true,
        probe: asks("shop.Orders"),
        backends: vec![one.backend("one"), two.backend("two")],
        ..route("calls", listen, &[])
    };
    rig.client.put("shop", &RouteSet { routes: vec![calls] }).await.unwrap();
    until(|| async { one.asked.load(Ordering::SeqCst) > 3 && two.asked.load(Ordering::SeqCst) > 3 }).await;
    assert_eq!(well(&rig).await, ["one", "two"]);
    one.status.store(NOT_SERVING, Ordering::SeqCst);
    until(|| async { well(&rig).await == ["two"] }).await;
    one.status.store(SERVING, Ordering::SeqCst);
    until(|| async { well(&rig).await == ["one", "two"] }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_as_a_whole_is_asked_and_who_knows_nothing_of_it_is_not_well() {
    let (rig, listen, web) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let orders = Orders::start(SERVING).await;
    let of = |name: &str, asked: &str, backend: Backend| Route {
        path: format!("/{name}"),
        probe: asks(asked),
        backends: vec![backend],
        ..route(name, listen, &[])
    };
    let web = Backend { id: "speaks-http-1".to_owned(), address: web.address };
    let routes = vec![
        of("whole", "", orders.backend("whole")),
        of("stranger", "shop.Payments", orders.backend("stranger")),
        of("web", "", web),
    ];
    rig.client.put("shop", &RouteSet { routes }).await.unwrap();
    until(|| async { well(&rig).await == ["whole"] }).await;
    // What is not well gets nothing, and its clients are told when to come again.
    assert_eq!(get(listen, "GET", "/web").await.status(), 503);
}
