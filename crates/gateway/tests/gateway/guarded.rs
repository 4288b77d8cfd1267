//! What a route lets in and tells its backends holds over TLS and HTTP/2 as well.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode};
use seaworthy_gateway::route::tls::CertificateSource;
use seaworthy_gateway::route::{Policy, RateLimit, Route, RouteSet};
use tokio::net::TcpStream;

use crate::rig::{
    Http2, PATIENCE, Rig, Server, Visitor, free_address, http2_over, raw, route, secure, until, whole,
};

const SHOP: &str = "shop.example";

struct House {
    rig: Rig,
    listen: std::net::SocketAddr,
    server: Server,
}

impl House {
    /// With TLS, to which plain requests are sent.
    async fn open(policy: Policy) -> Self {
        let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
        let web = secure("web", listen, SHOP, CertificateSource::SelfSigned, &[&server]);
        rig.client.put("shop", &RouteSet { routes: vec![Route { policy, ..web }] }).await.unwrap();
        Self { rig, listen, server }
    }

    fn visitor(&self, http2: bool) -> Visitor {
        let file = self.rig.file("certificates/self-signed/shop.example.pem");
        if http2 { Visitor::http2(&file) } else { Visitor::trusting(&file) }
    }

    async fn http2(&self) -> Http2 {
        http2_over(self.visitor(true).knock(self.listen, SHOP).await.unwrap()).await.unwrap()
    }

    async fn plain(&self, lines: &str) -> String {
        let request = format!("GET /a HTTP/1.1\r\nhost: {SHOP}\r\n{lines}connection: close\r\n\r\n");
        raw(self.listen, &request, "no such text").await
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.rig.file("access.log")).unwrap_or_default()
    }
}

fn asked(headers: &[(&str, &str)], body: &'static str) -> Request<Full<Bytes>> {
    let mut request = Request::post(format!("https://{SHOP}/a"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::from(body)).unwrap()
}

async fn answer(sender: &mut Http2, request: Request<Full<Bytes>>) -> Response<Bytes> {
    let answer = tokio::time::timeout(PATIENCE, sender.send_request(request)).await;
    whole(answer.expect("an answer in time").unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_over_http_2_says_nothing_of_the_requests_beside_it() {
    let house = House::open(Policy { max_body_bytes: Some(10), ..Policy::default() }).await;
    let mut sender = house.http2().await;
    for _ in 0..3 {
        let long = answer(&mut sender, asked(&[], "0123456789a")).await;
        assert_eq!(long.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(long.headers()["x-content-type-options"], "nosniff");
        let fits = answer(&mut sender, asked(&[], "0123456789")).await;
        assert_eq!((fits.status(), fits.body().as_ref()), (StatusCode::OK, &b"web-1"[..]));
        assert_eq!(fits.headers()["x-content-type-options"], "nosniff");
    }
    assert_eq!(house.server.seen().len(), 3);
    until(|| async { house.log().matches("\"refused\":\"body-too-large\"").count() == 3 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_over_http_2_reaches_a_backend_as_one_request() {
    let house = House::open(Policy::default()).await;
    let mut sender = house.http2().await;
    let lengths = asked(&[("content-length", "3"), ("content-length", "3")], "abc");
    assert_eq!(answer(&mut sender, lengths).await.status(), StatusCode::BAD_REQUEST);
    // Whom it is for stands there twice, and has to be the same (RFC 9113, section 8.3.1).
    let hosts = asked(&[("host", "other.example")], "");
    assert_eq!(answer(&mut sender, hosts).await.status(), StatusCode::BAD_REQUEST);
    let dots = Request::get(format!("https://{SHOP}/a/%2e%2e/b")).body(Full::default()).unwrap();
    assert_eq!(answer(&mut sender, dots).await.status(), StatusCode::BAD_REQUEST);
    let many: Vec<(String, &str)> = (0..101).map(|number| (format!("x-{number}"), "1")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let refused = answer(&mut sender, asked(&many, "")).await;
    assert_eq!(refused.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert_eq!(house.server.seen().len(), 0);

    let alike = asked(&[("host", SHOP), ("x_forwarded_for", "9.9.9.9"), ("cookie", "a=1")], "abc");
    assert_eq!(answer(&mut sender, alike).await.status(), StatusCode::OK);
    let seen = house.server.last();
    assert_eq!((seen.header("host"), &seen.body[..]), (SHOP, &b"abc"[..]));
    assert!(!seen.headers.contains_key("x_forwarded_for"));
    until(|| async { house.log().contains("\"refused\":\"content-length\"") }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_is_told_of_tls_whatever_a_client_says() {
    let house = House::open(Policy::default()).await;
    let mut sender = house.http2().await;
    let lie = asked(&[("x-forwarded-proto", "http"), ("forwarded", "for=9.9.9.9;proto=http")], "");
    assert_eq!(answer(&mut sender, lie).await.status(), StatusCode::OK);
    let seen = house.server.last();
    assert_eq!((seen.header("x-forwarded-proto"), seen.header("x-forwarded-for")), ("https", "127.0.0.1"));
    assert_eq!(seen.header("forwarded"), format!("for=127.0.0.1;host=\"{SHOP}\";proto=https"));
    // Nobody gets past the redirect by a word.
    let moved = house.plain("x-forwarded-proto: https\r\n").await;
    assert!(moved.starts_with("HTTP/1.1 308 "), "{moved}");
    assert!(moved.contains(&format!("location: https://{SHOP}:{}/a\r\n", house.listen.port())), "{moved}");
    assert!(moved.contains("x-request-id: ") && moved.contains("x-content-type-options: nosniff"), "{moved}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_may_have_spoken_tls_itself() {
    let trusted = Policy { trusted_proxies: vec!["127.0.0.1".parse().unwrap()], ..Policy::default() };
    let house = House::open(trusted).await;
    let passed = house.plain("x-forwarded-proto: https\r\nx-forwarded-for: 9.9.9.9\r\n").await;
    assert!(passed.starts_with("HTTP/1.1 200 "), "sent in circles: {passed}");
    assert_eq!(house.server.last().header("x-forwarded-proto"), "https");
    for plain in ["x-forwarded-proto: http\r\n", ""] {
        let moved = house.plain(plain).await;
        assert!(moved.starts_with("HTTP/1.1 308 "), "{moved}");
    }
    // Over TLS what the proxy says of its own client counts, and TLS where it says nothing.
    for (said, told) in [(&[("x-forwarded-proto", "http")][..], "http"), (&[], "https")] {
        let mut sender = house.http2().await;
        assert_eq!(answer(&mut sender, asked(said, "")).await.status(), StatusCode::OK);
        assert_eq!(house.server.last().header("x-forwarded-proto"), told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_count_over_all_ways_together_and_a_redirect_for_nothing() {
    let limit = RateLimit { requests: 2, period_ms: 3_600_000, burst: 2, header: None };
    let house = House::open(Policy { rate_limit: Some(limit), ..Policy::default() }).await;
    for _ in 0..4 {
        let moved = house.plain("").await;
        assert!(moved.starts_with("HTTP/1.1 308 "), "{moved}");
    }
    let first = house.visitor(false).get(house.listen, SHOP, "/a").await.unwrap();
    assert_eq!(
        (first.status(), &first.headers()["ratelimit-remaining"]),
        (StatusCode::OK, &"1".parse().unwrap())
    );
    let mut sender = house.http2().await;
    assert_eq!(answer(&mut sender, asked(&[], "")).await.status(), StatusCode::OK);
    let refused = answer(&mut sender, asked(&[], "")).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after") && !refused.headers().contains_key("connection"));
    // A limit does not end the connection for requests that may pass.
    assert!(sender.ready().await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_let_go_when_its_address_speaks_http_no_longer() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    rig.client.put("shop", &RouteSet { routes: vec![route("web", listen, &[&server])] }).await.unwrap();
    let mut sender = http2_over(TcpStream::connect(listen).await.unwrap()).await.unwrap();
    let ask = || Request::get(format!("http://{SHOP}/")).body(Full::default()).unwrap();
    assert_eq!(answer(&mut sender, ask()).await.status(), StatusCode::OK);
    rig.client.put("shop", &crate::rig::tcp_set(listen, &[])).await.unwrap();
    assert_ne!(answer(&mut sender, ask()).await.status(), StatusCode::OK);
    until(|| {
        let closed = sender.is_closed();
        async move { closed }
    })
    .await;
}
