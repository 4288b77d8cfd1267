//! Names and passwords, and other sites, over the wire.

use std::net::SocketAddr;

use base64::Engine;
use hyper::Method;
use seaworthy_gateway::route::{Auth, Cors, Route, RouteSet, Site, Users};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::rig::{PATIENCE, Rig, Server, free_address, raw, route};
use crate::site::over_http2;

fn users(cost: u32) -> Users {
    let line = |name: &str, password: &str| format!("{name}:{}\n", bcrypt::hash(password, cost).unwrap());
    Users::parse(&(line("ann", "a:b c") + &line("bob", "sesame"))).unwrap()
}

fn basic(pair: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

async fn served(site: Site) -> (Rig, SocketAddr, Server) {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    put(&rig, listen, &server, site).await;
    (rig, listen, server)
}

async fn put(rig: &Rig, listen: SocketAddr, server: &Server, site: Site) {
    let routes = vec![Route { site, ..route("web", listen, &[server]) }];
    rig.client.put("shop", &RouteSet { routes }).await.unwrap();
}

async fn ask(listen: SocketAddr, lines: &str) -> String {
    let request = format!("GET /a HTTP/1.1\r\nhost: a\r\n{lines}connection: close\r\n\r\n");
    raw(listen, &request, "no such text").await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_has_a_password_passes_and_the_backend_is_told_the_name() {
    let auth = Auth { realm: "Shop".into(), users: users(4) };
    let (rig, listen, server) = served(Site { auth: Some(auth), ..Site::default() }).await;
    for wrong in [
        String::new(),
        format!("authorization: {}\r\n", basic("ann:wrong")),
        format!("authorization: {}\r\n", basic("eve:sesame")),
        format!("authorization: {}\r\n", basic("ann")),
        "authorization: Bearer abc\r\n".to_owned(),
        format!("authorization: {}\r\n", basic(&format!("ann:{}", "x".repeat(2_000)))),
    ] {
        let answer = ask(listen, &wrong).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{wrong}: {answer}");
        assert!(answer.contains("www-authenticate: Basic realm=\"Shop\", charset=\"UTF-8\"\r\n"), "{answer}");
    }
    assert_eq!(server.arrived(), 0);
    let right = format!("authorization: {}\r\nx-forwarded-user: root\r\n", basic("ann:a:b c"));
    for _ in 0..3 {
        assert!(ask(listen, &right).await.starts_with("HTTP/1.1 200 "));
        let seen = server.last();
        assert_eq!((seen.header("x-forwarded-user"), seen.header("authorization")), ("ann", ""));
    }
    let value = basic("bob:sesame");
    let answer = over_http2(listen, Method::GET, "/", &[("authorization", &value)]).await;
    assert_eq!((answer.status().as_u16(), server.last().header("x-forwarded-user")), (200, "bob"));
    assert_eq!(over_http2(listen, Method::GET, "/", &[]).await.status().as_u16(), 401);
    let told = std::fs::read_to_string(rig.file("access.log")).unwrap_or_default();
    assert!(!told.contains("sesame") && !told.contains("$2b$"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_passwords_is_bounded_and_who_is_known_is_served_meanwhile() {
    // Each of them is a lot of work.
    let auth = Auth { realm: "Shop".into(), users: users(9) };
    let (_rig, listen, server) = served(Site { auth: Some(auth), ..Site::default() }).await;
    let right = format!("authorization: {}\r\n", basic("bob:sesame"));
    assert!(ask(listen, &right).await.starts_with("HTTP/1.1 200 "));
    let mut flood = JoinSet::new();
    for number in 0..200 {
        let guess = format!("authorization: {}\r\n", basic(&format!("bob:guess-{number}")));
        flood.spawn(async move { ask(listen, &guess).await });
    }
    // Their password is known: no work, and no turn to wait for.
    for _ in 0..20 {
        let began = Instant::now();
        assert!(ask(listen, &right).await.starts_with("HTTP/1.1 200 "));
        assert!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
    }
    let answers = flood.join_all().await;
    let count = |status: &str| answers.iter().filter(|answer| answer.starts_with(status)).count();
    let (denied, late) = (count("HTTP/1.1 401 "), count("HTTP/1.1 429 "));
    assert!(denied <= 31, "each client tries so often in a minute, and {denied} were tried");
    assert!(late >= 160, "{late} of 200 were told to come later");
    assert_eq!(denied + late + count("HTTP/1.1 503 "), 200);
    assert!(
        answers
            .iter()
            .filter(|answer| !answer.contains(" 401 "))
            .all(|answer| answer.contains("retry-after: "))
    );
    assert_eq!(server.arrived(), 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_known_stays_known_until_the_users_change() {
    let auth = |users: &Users| Some(Auth { realm: "Shop".into(), users: users.clone() });
    let before = users(4);
    let (rig, listen, server) = served(Site { auth: auth(&before), ..Site::default() }).await;
    let right = format!("authorization: {}\r\n", basic("bob:sesame"));
    assert!(ask(listen, &right).await.starts_with("HTTP/1.1 200 "));
    let bob = Users::parse(&format!("bob:{}", bcrypt::hash("other", 4).unwrap())).unwrap();
    put(&rig, listen, &server, Site { auth: auth(&bob), ..Site::default() }).await;
    assert!(ask(listen, &right).await.starts_with("HTTP/1.1 401 "), "the password is another one by now");
    let none = Site { auth: Some(Auth { realm: "Shop".into(), users: Users::default() }), ..Site::default() };
    let routes = vec![Route { site: none, ..route("web", listen, &[&server]) }];
    let refused = rig.client.put("shop", &RouteSet { routes }).await.unwrap_err();
    assert!(refused.to_string().contains("0 users"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_are_told_what_they_may() {
    let cors = Cors {
        origins: vec!["https://app.example".into()],
        credentials: true,
        methods: vec!["GET".into(), "PUT".into()],
        expose: vec!["X-Total".into()],
        max_age_seconds: 600,
        ..Cors::default()
    };
    let auth = Auth { realm: "Shop".into(), users: users(4) };
    let (_rig, listen, server) = served(Site { cors: Some(cors), auth: Some(auth), ..Site::default() }).await;
    let preflight = |origin: &str| {
        format!(
            "OPTIONS /a HTTP/1.1\r\nhost: a\r\norigin: {origin}\r\naccess-control-request-method: PUT\r\n\
             access-control-request-headers: x-a, content-type\r\nconnection: close\r\n\r\n"
        )
    };
    let answer = raw(listen, &preflight("https://app.example"), "no such text").await;
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    for line in [
        "access-control-allow-origin: https://app.example",
        "access-control-allow-credentials: true",
        "access-control-allow-methods: GET, PUT",
        "access-control-allow-headers: x-a, content-type",
        "access-control-max-age: 600",
        "vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    ] {
        assert!(answer.contains(&format!("\r\n{line}\r\n")), "{line}: {answer}");
    }
    for other in ["https://app.example.evil.example", "http://app.example", "null"] {
        let answer = raw(listen, &preflight(other), "no such text").await;
        assert!(answer.starts_with("HTTP/1.1 204 ") && !answer.contains("allow-"), "{other}: {answer}");
    }
    assert_eq!(server.arrived(), 0, "they are answered here, before any password");
    let value = basic("bob:sesame");
    for (origin, told) in [("https://app.example", true), ("https://b.example", false)] {
        let headers = [("origin", origin), ("authorization", value.as_str())];
        let answer = over_http2(listen, Method::GET, "/", &headers).await;
        assert_eq!(answer.status().as_u16(), 200);
        assert_eq!(answer.headers().contains_key("access-control-allow-origin"), told, "{origin}");
        assert_eq!(answer.headers().contains_key("access-control-expose-headers"), told, "{origin}");
        assert_eq!(answer.headers()["vary"], "origin");
    }
    // A script can read that it has to log in.
    let answer = ask(listen, "origin: https://app.example\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("allow-origin: https://app"), "{answer}");
}
