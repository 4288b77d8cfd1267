//! TLS: whose certificate is served, what becomes of those who come without, and that nothing stands still over it.

use std::os::unix::fs::PermissionsExt;

use hyper::StatusCode;
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use seaworthy_gateway::GatewayError;
use seaworthy_gateway::route::tls::CertificateSource;
use seaworthy_gateway::route::{Route, RouteSet};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::rig::{Pair, Rig, Server, Visitor, free_address, get, raw, route, secure, until};

static OLD: [&SupportedProtocolVersion; 1] = [&TLS12];
static NEW: [&SupportedProtocolVersion; 1] = [&TLS13];
const SHOP: &str = "shop.example";

fn of(routes: Vec<Route>) -> RouteSet {
    RouteSet { routes }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_self_signed_certificate_is_kept_and_those_without_tls_are_sent_to_it() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    let set = of(vec![secure("web", listen, SHOP, CertificateSource::SelfSigned, &[&server])]);
    rig.client.put("shop", &set).await.unwrap();
    let file = rig.file("certificates/self-signed/shop.example.pem");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let visitor = Visitor::trusting(&file);
    for versions in [&OLD, &NEW] {
        let visitor = Visitor { versions, ..visitor.clone() };
        let answer = visitor.get(listen, SHOP, "/a?b=c").await.unwrap();
        assert_eq!((answer.status(), answer.body().as_ref()), (StatusCode::OK, &b"web-1"[..]));
    }
    let seen = server.last();
    assert_eq!((seen.header("x-forwarded-proto"), seen.header("host")), ("https", SHOP));
    assert_eq!(seen.target, "/a?b=c");

    let moved = get(listen, "POST", "/a?b=c").await;
    assert_eq!(moved.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(moved.headers()["location"], format!("https://{SHOP}:{}/a?b=c", listen.port()).as_str());
    assert!(!moved.headers().contains_key("strict-transport-security"));
    // Issuers come without TLS; what a backend has to say to them is theirs.
    let challenge = get(listen, "GET", "/.well-known/acme-challenge/token").await;
    assert_eq!((challenge.status(), challenge.body().as_ref()), (StatusCode::OK, &b"web-1"[..]));
    assert_eq!(server.last().header("x-forwarded-proto"), "http");

    // The next worker serves the same certificate: whoever trusts it goes on.
    let before = std::fs::read(&file).unwrap();
    let worker = rig.client.status().await.unwrap().process;
    rig.signal("work", rustix::process::Signal::KILL).await;
    until(|| async { rig.client.status().await.is_ok_and(|status| status.process != worker) }).await;
    assert_eq!(visitor.get(listen, SHOP, "/").await.unwrap().status(), StatusCode::OK);
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_are_told_to_keep_to_tls_where_it_is_wished() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    let pair = Pair::write(rig.folder(), SHOP);
    let mut web = secure("web", listen, SHOP, pair.source(), &[&server]);
    let tls = web.tls.as_mut().unwrap();
    (tls.hsts_seconds, tls.redirect) = (Some(3600), false);
    rig.client.put("shop", &of(vec![web])).await.unwrap();
    let answer = Visitor::trusting(&pair.certificate).get(listen, SHOP, "/").await.unwrap();
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=3600");
    // Without TLS it would mean nothing (RFC 6797, section 7.2), and here nobody is sent away.
    let plain = get(listen, "GET", "/").await;
    assert_eq!(plain.body(), "web-1");
    assert!(!plain.headers().contains_key("strict-transport-security"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_host_has_its_own_certificate_and_a_missing_one_stops_nobody() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (shop, blog) = (Server::start("shop").await, Server::start("blog").await);
    let pair = Pair::write(rig.folder(), SHOP);
    let nowhere = Pair { certificate: rig.folder().join("gone.crt"), key: rig.folder().join("gone.key") };
    let wiki = Route { host: Some("wiki.example".to_owned()), ..route("wiki", listen, &[&blog]) };
    let set = of(vec![
        secure("shop", listen, SHOP, pair.source(), &[&shop]),
        secure("blog", listen, "blog.example", nowhere.source(), &[&blog]),
        wiki,
    ]);
    // Whoever is about to deploy it is told; what is there is served.
    let refused = rig.client.check("all", &set).await.unwrap_err();
    assert!(matches!(&refused, GatewayError::Certificate { route, .. } if route == "blog"), "{refused}");
    rig.client.put("all", &set).await.unwrap();
    let visitor = Visitor::trusting(&pair.certificate);
    assert_eq!(visitor.get(listen, SHOP, "/").await.unwrap().body(), "shop");
    // Without a certificate to lead to, requests are answered as they come.
    let plain = |host: &str| format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    assert!(raw(listen, &plain("blog.example"), "\r\n\r\nblog").await.ends_with("\r\n\r\nblog"));
    assert!(raw(listen, &plain(SHOP), "\r\n\r\n").await.starts_with("HTTP/1.1 308 "));
    let distrusted = visitor.get(listen, "blog.example", "/").await.unwrap_err();
    assert!(distrusted.to_string().contains("certificate"), "{distrusted}");
    // Who asks for another name learns nothing, a host without TLS among them.
    for host in ["other.example", "wiki.example"] {
        let unknown = visitor.get(listen, host, "/").await.unwrap_err();
        assert!(unknown.to_string().contains("UnrecognisedName"), "{host}: {unknown}");
    }
    let metrics = rig.client.metrics().await.unwrap();
    for (host, source, problem) in [(SHOP, "files", 0), ("blog.example", "stand-in", 1)] {
        let labels = format!("{{host=\"{host}\",source=\"{source}\"}}");
        assert!(metrics.contains(&format!("certificate_problem{labels} {problem}\n")), "{metrics}");
        assert!(metrics.contains(&format!("certificate_not_after_seconds{labels} ")), "{metrics}");
    }
    // As soon as the files are there, they are served.
    let late = Pair::write(rig.folder(), "blog.example");
    std::fs::rename(&late.key, &nowhere.key).unwrap();
    std::fs::rename(&late.certificate, &nowhere.certificate).unwrap();
    let visitor = Visitor::trusting(&nowhere.certificate);
    until(|| async { visitor.get(listen, "blog.example", "/").await.is_ok() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_files_are_taken_up_and_broken_ones_are_not() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    let pair = Pair::write(rig.folder(), SHOP);
    let set = of(vec![secure("web", listen, SHOP, pair.source(), &[&server])]);
    rig.client.check("shop", &set).await.unwrap();
    rig.client.put("shop", &set).await.unwrap();
    // A connection that was made before goes on over the change.
    let kept = Visitor::http2(&pair.certificate).knock(listen, SHOP).await.unwrap();
    let mut kept = crate::rig::http2_over(kept).await.unwrap();
    Pair::write(rig.folder(), SHOP);
    let visitor = Visitor::trusting(&pair.certificate);
    until(|| async { visitor.get(listen, SHOP, "/").await.is_ok() }).await;

    let trusted = rig.folder().join("trusted.pem");
    std::fs::copy(&pair.certificate, &trusted).unwrap();
    pair.put("no certificate", "no key");
    until(|| async {
        rig.client
            .metrics()
            .await
            .unwrap()
            .contains("certificate_problem{host=\"shop.example\",source=\"files\"} 1\n")
    })
    .await;
    assert_eq!(Visitor::trusting(&trusted).get(listen, SHOP, "/").await.unwrap().body(), "web-1");
    let refused = rig.client.check("shop", &set).await.unwrap_err();
    assert!(refused.to_string().contains("no certificate in PEM form"), "{refused}");
    let request = hyper::Request::builder().uri("https://shop.example/").body(Default::default()).unwrap();
    assert_eq!(kept.send_request(request).await.unwrap().status(), StatusCode::OK);

    // A key that others can read is no secret.
    Pair::write(rig.folder(), SHOP);
    std::fs::set_permissions(&pair.key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = rig.client.check("shop", &set).await.unwrap_err();
    assert!(refused.to_string().contains("can be read by others (its mode is 644)"), "{refused}");
    assert!(refused.hint().contains("chmod 600"), "{}", refused.hint());
    // Nor does the key appear in what the gateway keeps and tells.
    let key = std::fs::read_to_string(&pair.key).unwrap();
    let secret = key.lines().nth(1).unwrap();
    for file in ["snapshot.json", "gateway.log"] {
        assert!(!std::fs::read_to_string(rig.file(file)).unwrap_or_default().contains(secret), "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_passes_over_tls() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    let set = of(vec![secure("web", listen, SHOP, CertificateSource::SelfSigned, &[&server])]);
    rig.client.put("shop", &set).await.unwrap();
    let file = rig.file("certificates/self-signed/shop.example.pem");
    let mut stream = BufReader::new(Visitor::trusting(&file).knock(listen, SHOP).await.unwrap());
    let offer =
        "GET /ws HTTP/1.1\r\nhost: shop.example\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nearly\n";
    stream.get_mut().write_all(offer.as_bytes()).await.unwrap();
    let mut said = String::new();
    while !said.contains("web-1 early\n") {
        assert_ne!(stream.read_line(&mut said).await.unwrap(), 0, "{said}");
    }
    assert!(said.starts_with("HTTP/1.1 101 ") && said.contains("web-1 hello\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_instead_of_a_handshake_costs_its_own_connection_only() {
    let (rig, server, listen) = (Rig::start().await, Server::start("web-1").await, free_address());
    let set = of(vec![secure("web", listen, SHOP, CertificateSource::SelfSigned, &[&server])]);
    rig.client.put("shop", &set).await.unwrap();
    for garbage in
        ["\u{16}\u{3}\u{1}\u{0}\u{5}hello", "\u{16}\u{3}\u{1}\u{0}", "\u{16}", "PRI * HTTP/2.0\r\n\r\nXX"]
    {
        let mut stream = tokio::net::TcpStream::connect(listen).await.unwrap();
        stream.write_all(garbage.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    }
    let file = rig.file("certificates/self-signed/shop.example.pem");
    assert_eq!(Visitor::trusting(&file).get(listen, SHOP, "/").await.unwrap().body(), "web-1");
}
