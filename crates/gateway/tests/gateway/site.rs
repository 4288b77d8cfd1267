//! What a route answers by itself, over the wire.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Response};
use seaworthy_gateway::route::{Redirect, Route, RouteSet, Site};
use tokio::net::TcpStream;

use crate::rig::{Rig, Server, free_address, http2_over, raw, route, whole};

fn to(from: &str, to: &str, status: u16) -> Redirect {
    Redirect { from: from.into(), to: to.into(), status }
}

/// One request over HTTP/2.
pub(crate) async fn over_http2(
    address: std::net::SocketAddr,
    method: Method,
    target: &str,
    headers: &[(&str, &str)],
) -> Response<Bytes> {
    let mut sender = http2_over(TcpStream::connect(address).await.unwrap()).await.unwrap();
    let mut request = Request::builder().method(method).uri(format!("http://a{target}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    whole(sender.send_request(request.body(Full::default()).unwrap()).await.unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_hosts_are_sent_elsewhere_with_their_query() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let redirects = vec![to("/old", "/new", 301), to("/blog/*", "https://blog.example/*", 302)];
    let own = Route { site: Site { redirects, ..Site::default() }, ..route("web", listen, &[&server]) };
    let site = Site { redirects: vec![to("/*", "//shop.example/*", 308)], ..Site::default() };
    let www = Route { host: Some("www.shop.example".into()), site, ..route("web@www", listen, &[]) };
    rig.client.put("shop", &RouteSet { routes: vec![own, www] }).await.unwrap();
    for (host, path, status, location) in [
        ("a", "/old?a=b", 301, "/new?a=b"),
        ("a", "/%6fld", 301, "/new"),
        ("a", "/blog/2026/%c3%bc?p=1", 302, "https://blog.example/2026/%c3%bc?p=1"),
        ("a", "/blog//evil.example/", 302, "https://blog.example/evil.example/"),
        ("www.shop.example:8080", "/a/b?c=d", 308, "http://shop.example:8080/a/b?c=d"),
        ("WWW.shop.example", "/", 308, "http://shop.example/"),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let answer = raw(listen, &request, "no such text").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        assert!(answer.contains(&format!("\r\nlocation: {location}\r\n")), "{path}: {answer}");
        assert!(answer.contains("\r\nx-content-type-options: nosniff\r\n"), "{answer}");
    }
    let answer = over_http2(listen, Method::POST, "/old?x", &[]).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (301, &"/new?x".parse().unwrap()));
    assert_eq!(server.arrived(), 0, "none of them needs a backend");
    // A body that nobody reads ends the connection.
    let request = "POST /old HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello";
    let answer = raw(listen, request, "no such text").await;
    assert!(answer.starts_with("HTTP/1.1 301 ") && answer.contains("connection: close"), "{answer}");
    for (path, target) in [("/older?a", "/older?a"), ("/old/", "/old/")] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        assert!(raw(listen, &request, "no such text").await.starts_with("HTTP/1.1 200 "));
        assert_eq!(server.last().target, target);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backends_get_paths_without_their_beginning_or_with_another() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let site = Site { strip_path: true, add_path: "/v1".into(), ..Site::default() };
    let api = Route { path: "/api".into(), site, ..route("web", listen, &[&server]) };
    rig.client.put("shop", &RouteSet { routes: vec![api] }).await.unwrap();
    for (path, target) in
        [("/api/a%2Fb?c=/api", "/v1/a%2Fb?c=/api"), ("/api", "/v1/"), ("/%61pi//a", "/v1/a")]
    {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: a\r\nx-forwarded-prefix: /x\r\nconnection: close\r\n\r\n");
        let answer = raw(listen, &request, "no such text").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let seen = server.last();
        assert_eq!((seen.target.as_str(), seen.header("x-forwarded-prefix")), (target, "/api"), "{path}");
    }
    let answer = over_http2(listen, Method::GET, "/api/b?c", &[]).await;
    assert_eq!((answer.status().as_u16(), server.last().target.as_str()), (200, "/v1/b?c"));
    let log = std::fs::read_to_string(rig.file("access.log")).unwrap_or_default();
    assert!(!log.contains("/v1"), "the log has what clients asked for: {log}");
}
