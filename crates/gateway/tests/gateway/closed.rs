//! Pages of the user's own, and projects that are being worked on, over the wire.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use hyper::Method;
use rustix::process::Signal;
use seaworthy_gateway::Maintenance;
use seaworthy_gateway::route::{Policy, RateLimit, Route, RouteSet, Site};

use crate::rig::{Rig, Server, free_address, raw, route, set, until};
use crate::site::over_http2;

fn pages(pages: &[(&str, &str)]) -> Site {
    let pages = pages.iter().map(|(which, text)| ((*which).to_owned(), (*text).to_owned()));
    Site { pages: pages.collect::<BTreeMap<_, _>>(), ..Site::default() }
}

async fn get(listen: SocketAddr, lines: &str) -> String {
    let request = format!("GET /a HTTP/1.1\r\nhost: a\r\n{lines}connection: close\r\n\r\n");
    raw(listen, &request, "no such text").await
}

fn work(message: Option<&str>, allow: &[&str]) -> Maintenance {
    Maintenance {
        since: "2026-11-21T10:00:00Z".parse().unwrap(),
        message: message.map(str::to_owned),
        allow: allow.iter().map(|text| text.parse().unwrap()).collect(),
        retry_after_seconds: 600,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_gateway_have_a_page_and_those_of_backends_their_own() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let own = pages(&[("503", "<h1>soon</h1>"), ("any", "<h1>oh</h1>")]);
    let none = Route { site: own.clone(), ..route("web", listen, &[]) };
    let policy = Policy { deny: vec!["127.0.0.1".parse().unwrap()], ..Policy::default() };
    let other = Route { path: "/no".into(), policy, site: own.clone(), ..route("no", listen, &[&server]) };
    let with = Route { path: "/yes".into(), site: own, ..route("yes", listen, &[&server]) };
    rig.client.put("shop", &RouteSet { routes: vec![none, other, with] }).await.unwrap();
    let answer = get(listen, "accept: text/html,*/*;q=0.1\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("\r\n\r\n<h1>soon</h1>"), "{answer}");
    for line in ["content-type: text/html; charset=utf-8", "cache-control: no-store", "retry-after: 1"] {
        assert!(answer.contains(&format!("\r\n{line}\r\n")), "{line}: {answer}");
    }
    let answer = get(listen, "accept: application/json\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("\r\n\r\n"),
        "a program reads no page: {answer}"
    );
    let answer =
        raw(listen, "HEAD /a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "no such text").await;
    assert!(answer.contains("content-length: 13\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    let answer = over_http2(listen, Method::GET, "/no", &[]).await;
    assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (403, &b"<h1>oh</h1>"[..]));
    assert_eq!(over_http2(listen, Method::GET, "/yes", &[]).await.body().as_ref(), b"web-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_lasts_over_deploys_and_restarts_and_lets_some_in() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    rig.client.maintain("shop", Some(work(Some("Back at <10:00>."), &["192.0.2.0/24"]))).await.unwrap();
    let answer = get(listen, "").await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 600\r\n"), "{answer}");
    assert!(answer.contains("text/plain") && answer.ends_with("\r\n\r\nBack at <10:00>.\n"), "{answer}");

    // Another set, as of a deploy, and a worker that dies.
    let site = pages(&[("maintenance", "<p>{{message}}</p>")]);
    let limit = RateLimit { requests: 2, period_ms: 3_600_000, burst: 2, header: None };
    let policy = Policy { rate_limit: Some(limit), ..Policy::default() };
    let routes = vec![Route { site, policy, ..route("web", listen, &[&server]) }];
    rig.client.put("shop", &RouteSet { routes: routes.clone() }).await.unwrap();
    let worker = rig.client.status().await.unwrap().process;
    rig.signal("work", Signal::KILL).await;
    until(|| async { rig.client.status().await.is_ok_and(|status| status.process != worker) }).await;
    let answer = over_http2(listen, Method::GET, "/", &[]).await;
    assert_eq!(answer.status().as_u16(), 503);
    assert_eq!(answer.body().as_ref(), b"<p>Back at &lt;10:00&gt;.</p>");
    assert_eq!(rig.client.maintained("shop").await.unwrap().unwrap().retry_after_seconds, 600);
    assert_eq!(server.arrived(), 0);

    for _ in 0..3 {
        let answer = get(listen, "").await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "no limit counts meanwhile: {answer}");
    }

    rig.client.maintain("shop", Some(work(None, &["127.0.0.1"]))).await.unwrap();
    assert!(get(listen, "").await.starts_with("HTTP/1.1 200 "), "this client passes");
    rig.client.maintain("shop", Some(work(None, &[]))).await.unwrap();
    assert!(get(listen, "").await.starts_with("HTTP/1.1 503 "));
    rig.client.maintain("shop", None).await.unwrap();
    assert!(get(listen, "").await.starts_with("HTTP/1.1 200 "));
    assert_eq!(rig.client.maintained("shop").await.unwrap(), None);
    let never = Maintenance { retry_after_seconds: 0, ..work(None, &[]) };
    assert!(rig.client.maintain("shop", Some(never)).await.is_err());
    until(|| async {
        std::fs::read_to_string(rig.file("access.log"))
            .unwrap_or_default()
            .contains("\"refused\":\"maintenance\"")
    })
    .await;
}
