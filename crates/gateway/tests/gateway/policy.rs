//! What a route lets in, and what it adds to its answers, over the wire.

use std::net::SocketAddr;

use seaworthy_gateway::route::{Edits, Policy, RateLimit, Route, RouteSet};

use crate::rig::{Rig, Server, free_address, raw, route, until};

async fn served(policy: Policy) -> (Rig, SocketAddr, Server) {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    put(&rig, listen, &server, policy).await;
    (rig, listen, server)
}

async fn put(rig: &Rig, listen: SocketAddr, server: &Server, policy: Policy) {
    let routes = vec![Route { policy, ..route("web", listen, &[server]) }];
    rig.client.put("shop", &RouteSet { routes }).await.unwrap();
}

async fn get(listen: SocketAddr, lines: &str) -> String {
    raw(listen, &format!("GET / HTTP/1.1\r\nhost: a\r\n{lines}connection: close\r\n\r\n"), "no such text")
        .await
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_cut_where_it_is_longer_than_allowed() {
    let (rig, listen, server) = served(Policy { max_body_bytes: Some(10), ..Policy::default() }).await;
    for fits in [
        "content-length: 10\r\n\r\n0123456789",
        "transfer-encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
    ] {
        let answer = raw(listen, &format!("POST / HTTP/1.1\r\nhost: a\r\n{fits}"), "web-1").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let many = "10\r\n0123456789abcdef\r\n".repeat(20_000);
    for too_long in [
        "content-length: 11\r\n\r\n0123456789a".to_owned(),
        "content-length: 11\r\nexpect: 100-continue\r\n\r\n".to_owned(),
        format!("content-length: 3000000\r\n\r\n{}", "x".repeat(3_000_000)),
        "transfer-encoding: chunked\r\n\r\nb\r\n0123456789a\r\n0\r\n\r\n".to_owned(),
        format!("transfer-encoding: chunked\r\n\r\n{many}"),
    ] {
        let answer = raw(listen, &format!("POST / HTTP/1.1\r\nhost: a\r\n{too_long}"), "no such text").await;
        let head = &too_long[..too_long.len().min(60)];
        assert!(answer.starts_with("HTTP/1.1 413"), "{head}: {answer}");
        assert_eq!(header(&answer, "connection"), Some("close"), "{head}");
    }
    assert_eq!(server.seen().len(), 2, "no backend has the whole of one that is too long");
    let log = || std::fs::read_to_string(rig.file("access.log")).unwrap_or_default();
    until(|| async { log().matches("\"refused\":\"body-too-large\"").count() == 5 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_given_up() {
    let (_rig, listen, server) = served(Policy { body_timeout_ms: 200, ..Policy::default() }).await;
    for stuck in ["POST", "PUT"] {
        let request = format!("{stuck} / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n0");
        let answer = raw(listen, &request, "no such text").await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{stuck}: {answer}");
    }
    assert!(get(listen, "").await.starts_with("HTTP/1.1 200"));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_is_told_when_to_come_again() {
    let limit = RateLimit { requests: 3, period_ms: 3_600_000, burst: 3, header: None };
    let policy = |header: Option<&str>| Policy {
        rate_limit: Some(RateLimit { header: header.map(str::to_owned), ..limit.clone() }),
        ..Policy::default()
    };
    let (rig, listen, server) = served(policy(None)).await;
    for left in ["2", "1", "0"] {
        let answer = get(listen, "").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(
            (header(&answer, "ratelimit-limit"), header(&answer, "ratelimit-remaining")),
            (Some("3"), Some(left))
        );
    }
    put(&rig, listen, &server, policy(None)).await;
    let answer = get(listen, "x-forwarded-for: 192.0.2.9\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 429"), "another set with the same limit goes on counting: {answer}");
    let after: u64 = header(&answer, "retry-after").unwrap().parse().unwrap();
    assert!((1_100..=1_200).contains(&after), "{after}");
    assert_eq!(header(&answer, "ratelimit-remaining"), Some("0"));

    put(&rig, listen, &server, policy(Some("x-api-key"))).await;
    for (key, status) in [("a", 200), ("a", 200), ("a", 200), ("a", 429), ("b", 200)] {
        let answer = get(listen, &format!("x-api-key: {key}\r\n")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{key}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_let_in_or_not_and_trusted_proxies_are_believed() {
    let networks = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
    let (rig, listen, server) =
        served(Policy { deny: networks(&["127.0.0.0/8"]), ..Policy::default() }).await;
    let answer = get(listen, "x-forwarded-for: 192.0.2.1\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert_eq!(server.arrived(), 0);
    let policy = Policy {
        allow: networks(&["192.0.2.0/24"]),
        deny: networks(&["192.0.2.66"]),
        trusted_proxies: networks(&["127.0.0.1"]),
        ..Policy::default()
    };
    put(&rig, listen, &server, policy).await;
    for (said, status) in [
        ("192.0.2.1", 200),
        ("203.0.113.5", 403),
        ("192.0.2.66", 403),
        ("192.0.2.1, 203.0.113.5", 403),
        ("203.0.113.5, 192.0.2.1", 200),
        ("none", 403),
    ] {
        let answer = get(listen, &format!("x-forwarded-for: {said}\r\nx-forwarded-proto: https\r\n")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{said}: {answer}");
    }
    let seen = server.last();
    assert_eq!(seen.header("x-forwarded-for"), "203.0.113.5, 192.0.2.1, 127.0.0.1");
    assert_eq!((seen.header("x-real-ip"), seen.header("x-forwarded-proto")), ("192.0.2.1", "https"));
    put(&rig, listen, &server, Policy::default()).await;
    get(listen, "forwarded: for=192.0.2.1\r\nx-forwarded-proto: https\r\nx-real-ip: 192.0.2.1\r\nX_Forwarded_For: 192.0.2.1\r\nx-forwarded-port: 1\r\n").await;
    let seen = server.last();
    assert_eq!((seen.header("x-real-ip"), seen.header("x-forwarded-proto")), ("127.0.0.1", "http"));
    assert_eq!(seen.header("forwarded"), "for=127.0.0.1;host=\"a\";proto=http");
    assert_eq!((seen.header("x_forwarded_for"), seen.header("x-forwarded-port")), ("", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_the_headers_browsers_heed_unless_said_otherwise() {
    let (rig, listen, server) = served(Policy::default()).await;
    let answer = get(listen, "").await;
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "SAMEORIGIN"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    ] {
        assert_eq!(header(&answer, name), Some(value));
    }
    assert_eq!(header(&answer, "server"), None);
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    };
    let policy = Policy {
        response_headers: Edits {
            remove: vec!["X-Own".into(), "Permissions-Policy".into()],
            set: pairs(&[("X-Frame-Options", "DENY"), ("Content-Security-Policy", "default-src 'self'")]),
            add: pairs(&[("Link", "</a.css>; rel=preload")]),
        },
        request_headers: Edits {
            remove: vec!["X-Debug".into()],
            set: pairs(&[("X-Tier", "edge")]),
            ..Edits::default()
        },
        ..Policy::default()
    };
    put(&rig, listen, &server, policy).await;
    let answer = get(listen, "x-debug: 1\r\nx-tier: forged\r\n").await;
    assert_eq!((header(&answer, "x-own"), header(&answer, "permissions-policy")), (None, None));
    assert_eq!(header(&answer, "x-frame-options"), Some("DENY"));
    assert_eq!(header(&answer, "content-security-policy"), Some("default-src 'self'"));
    assert_eq!(header(&answer, "link"), Some("</a.css>; rel=preload"));
    assert_eq!((server.last().header("x-debug"), server.last().header("x-tier")), ("", "edge"));
    put(&rig, listen, &server, Policy { secure_headers: false, ..Policy::default() }).await;
    let answer = get(listen, "").await;
    assert_eq!((header(&answer, "x-frame-options"), header(&answer, "x-own")), (None, Some("kept")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_cannot_be_kept_is_refused_before_it_is_served() {
    let (rig, listen, server) = served(Policy::default()).await;
    let wrong = [
        Policy {
            rate_limit: Some(RateLimit { requests: 0, period_ms: 1, burst: 1, header: None }),
            ..Policy::default()
        },
        Policy {
            request_headers: Edits { remove: vec!["a b".into()], ..Edits::default() },
            ..Policy::default()
        },
        Policy {
            response_headers: Edits {
                set: [("a".to_owned(), "b\r\nc: d".to_owned())].into(),
                ..Edits::default()
            },
            ..Policy::default()
        },
    ];
    for policy in wrong {
        let routes = vec![Route { policy, ..route("web", listen, &[&server]) }];
        let refusal = rig.client.put("shop", &RouteSet { routes }).await.unwrap_err();
        assert!(refusal.to_string().contains("route `web`"), "{refusal}");
    }
}
