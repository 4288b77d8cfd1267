//! Who asks, by the word of a balancer in front; and what backends behind TCP are told.

use seaworthy_gateway::GatewayError;
use seaworthy_gateway::route::tls::CertificateSource;
use seaworthy_gateway::route::{ProxyProtocol, ProxyVersion, RouteSet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use crate::rig::{
    Caller, PATIENCE, Peer, Rig, Server, Visitor, free_address, get, http2_over, raw, route, secure, set,
    tcp_set, until, whole,
};

fn spoken(set: RouteSet, trust: &[&str], send: Option<ProxyVersion>) -> RouteSet {
    let mut set = set;
    let trust: Vec<_> = trust.iter().map(|range| range.parse().unwrap()).collect();
    for route in &mut set.routes {
        route.balancing.proxy_protocol = ProxyProtocol { trust: trust.clone(), send };
    }
    set
}

/// A connection that begins with these bytes.
async fn after(listen: std::net::SocketAddr, header: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(listen).await.unwrap();
    stream.write_all(header).await.unwrap();
    stream
}

const REQUEST: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_balancer_says_who_asks() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web").await);
    rig.client.put("shop", &spoken(set(listen, &[&server]), &["127.0.0.0/8"], None)).await.unwrap();
    let text = format!("PROXY TCP4 203.0.113.7 10.0.0.1 4711 80\r\n{REQUEST}");
    assert!(raw(listen, &text, "web").await.starts_with("HTTP/1.1 200"));
    assert_eq!(server.last().header("x-forwarded-for"), "203.0.113.7");

    // In pieces, with a line feed in the addresses of the binary form.
    let mut stream = TcpStream::connect(listen).await.unwrap();
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    bytes.extend([203, 0, 113, 10, 10, 10, 0, 1, 0x12, 0x34, 0, 80]);
    bytes.extend(REQUEST.as_bytes());
    for piece in bytes.chunks(5) {
        stream.write_all(piece).await.unwrap();
        stream.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.last().header("x-forwarded-for"), "203.0.113.10");

    let unknown = format!("PROXY UNKNOWN\r\n{REQUEST}");
    assert!(raw(listen, &unknown, "web").await.starts_with("HTTP/1.1 200"));
    assert_eq!(server.last().header("x-forwarded-for"), "127.0.0.1");
    let served = server.arrived();
    for wrong in [REQUEST.to_owned(), format!("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n{REQUEST}")] {
        assert_eq!(raw(listen, &wrong, "no such text").await, "", "no header, no answer");
    }
    assert_eq!(server.arrived(), served);
    until(|| async {
        let log = std::fs::read_to_string(rig.file("access.log")).unwrap_or_default();
        log.contains("\"client\":\"203.0.113.7\"") && log.contains("\"client\":\"203.0.113.10\"")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_is_believed() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web").await);
    rig.client.put("shop", &spoken(set(listen, &[&server]), &["10.0.0.0/8"], None)).await.unwrap();
    assert_eq!(get(listen, "GET", "/").await.body(), "web");
    let text = format!("PROXY TCP4 203.0.113.7 10.0.0.1 4711 80\r\n{REQUEST}");
    assert!(raw(listen, &text, "\r\n\r\n").await.starts_with("HTTP/1.1 400"));

    // One address cannot be both.
    let mut two = RouteSet { routes: vec![route("a", listen, &[]), route("b", listen, &[])] };
    two.routes[1].path = "/b".into();
    two.routes[1].balancing.proxy_protocol.trust = vec!["10.0.0.0/8".parse().unwrap()];
    let error = rig.client.put("shop", &two).await.unwrap_err().to_string();
    assert!(error.contains("`a` and `b` trust others") && error.contains("nobody and 10.0.0.0/8"), "{error}");
    two.routes.truncate(1);
    two.routes[0].path = "/other".into();
    let error = rig.client.put("other", &two).await.unwrap_err();
    assert!(
        matches!(&error, GatewayError::Invalid { reason } if reason.contains("project `shop`")),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stands_before_tls_and_http2() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web").await);
    let host = "shop.example";
    let mut web = secure("web", listen, host, CertificateSource::SelfSigned, &[&server]);
    web.tls.as_mut().unwrap().redirect = false;
    let set = spoken(RouteSet { routes: vec![web] }, &["127.0.0.1"], None);
    rig.client.put("shop", &set).await.unwrap();
    let file = rig.file("certificates/self-signed/shop.example.pem");
    for (last, visitor) in [(1, Visitor::trusting(&file)), (2, Visitor::http2(&file))] {
        let header = format!("PROXY TCP4 203.0.113.{last} 10.0.0.1 4711 443\r\n");
        let stream = visitor.shake_hands(after(listen, header.as_bytes()).await, host).await.unwrap();
        assert_eq!(visitor.ask(stream, host, "/").await.unwrap().body(), "web");
        assert_eq!(server.last().header("x-forwarded-for"), format!("203.0.113.{last}"));
        assert_eq!(server.last().header("x-forwarded-proto"), "https");
    }

    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24".to_vec();
    header.extend("2001:db8::7".parse::<std::net::Ipv6Addr>().unwrap().octets());
    header.extend([0; 16]);
    header.extend([0x12, 0x34, 0, 80]);
    let mut sender = http2_over(after(listen, &header).await).await.unwrap();
    for _ in 0..2 {
        let request = hyper::Request::get(format!("http://{host}/")).body(Default::default()).unwrap();
        assert_eq!(whole(sender.send_request(request).await.unwrap()).await.unwrap().body(), "web");
        assert_eq!(server.last().header("x-forwarded-for"), "2001:db8::7");
    }
    assert!(Visitor::trusting(&file).knock(listen, host).await.is_err(), "TLS without a header before it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_takes_long_holds_nobody_and_is_told() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web").await);
    rig.client.put("shop", &spoken(set(listen, &[&server]), &["127.0.0.1"], None)).await.unwrap();
    let began = Instant::now();
    let mut silent = TcpStream::connect(listen).await.unwrap();
    let mut slow = after(listen, b"PROXY TCP4 20").await;
    let whole = format!("PROXY TCP4 203.0.113.7 10.0.0.1 4711 80\r\n{REQUEST}");
    assert!(raw(listen, &whole, "web").await.starts_with("HTTP/1.1 200"));
    for stream in [&mut silent, &mut slow] {
        let mut answer = Vec::new();
        // Closed or reset, without a word.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end");
        assert!(answer.is_empty(), "{answer:?}");
        assert!(began.elapsed().as_secs() >= 4, "after {:?}", began.elapsed());
    }
    until(|| async {
        let log = std::fs::read_to_string(rig.file("access.log")).unwrap_or_default();
        log.matches("\"refused\":\"proxy-protocol\"").count() == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_behind_tcp_is_told_who_asks() {
    let (rig, listen) = (Rig::start().await, free_address());
    let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut wanted = tcp_set(listen, &[]);
    let own = Peer::start("own").await;
    wanted.routes[0].backends = tcp_set(listen, &[&own]).routes.remove(0).backends;
    wanted.routes[0].backends[0].address = backend.local_addr().unwrap();
    let wanted = spoken(wanted, &["127.0.0.1"], Some(ProxyVersion::V1));
    rig.client.put("shop", &wanted).await.unwrap();
    let mut stream = TcpStream::connect(listen).await.unwrap();
    stream.write_all(b"PROXY TCP6 2001:db8::7 ::1 4711 80\r\nhello\n").await.unwrap();
    let (mut taken, _) = backend.accept().await.unwrap();
    let expected = format!("PROXY TCP6 2001:db8::7 ::ffff:127.0.0.1 4711 {}\r\nhello\n", listen.port());
    let mut got = vec![0; expected.len()];
    taken.read_exact(&mut got).await.unwrap();
    assert_eq!(String::from_utf8(got).unwrap(), expected);

    let wanted = spoken(wanted, &["127.0.0.1"], Some(ProxyVersion::V2));
    rig.client.put("shop", &wanted).await.unwrap();
    let mut stream = after(listen, b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 80\r\nhello\n").await;
    let (mut taken, _) = backend.accept().await.unwrap();
    let mut expected = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    expected.extend([203, 0, 113, 7, 127, 0, 0, 1, 0x12, 0x67]);
    expected.extend(listen.port().to_be_bytes());
    expected.extend(b"hello\n");
    let mut got = vec![0; expected.len()];
    taken.read_exact(&mut got).await.unwrap();
    assert_eq!(got, expected);
    taken.write_all(b"well\n").await.unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"well\n");

    // Without the setting a backend hears its client alone.
    let plain = free_address();
    rig.client.put("shop", &tcp_set(plain, &[&own])).await.unwrap();
    let mut caller = Caller::connect(plain).await.unwrap();
    assert_eq!(caller.ask("hello").await.unwrap(), "own hello");
}
