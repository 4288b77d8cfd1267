//! The local socket: who may use it, what is refused, and that nothing sent to it does harm.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use seaworthy_gateway::{Client, GatewayError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::rig::{PATIENCE, Rig, Server, free_address, get, route, set};
use seaworthy_gateway::route::{Backend, RouteSet};

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_can_reach_it() {
    let rig = Rig::start().await;
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(rig.file("")), 0o700);
    assert_eq!(mode(rig.file("admin.sock")), 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_another_project_has_is_refused() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let other = set(listen, &[&server]);
    for refused in [
        rig.client.check("blog", &other).await.unwrap_err(),
        rig.client.put("blog", &other).await.unwrap_err(),
    ] {
        assert!(matches!(&refused, GatewayError::Conflict { project, .. } if project == "shop"), "{refused}");
    }
    assert_eq!(rig.client.get("blog").await.unwrap(), None);
    let mut beside = set(listen, &[&server]);
    beside.routes[0].path = "/blog".into();
    rig.client.put("blog", &beside).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_contradicts_itself_is_refused() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let twins = RouteSet { routes: vec![route("a", listen, &[&server]), route("b", listen, &[&server])] };
    let same_ids = set(listen, &[&server, &server]);
    let mut own = set(listen, &[&server]);
    own.routes[0].backends = vec![Backend { id: "self".into(), address: listen }];
    let mut host = set(listen, &[&server]);
    host.routes[0].host = Some("Shop.example:80".into());
    for wrong in [twins, same_ids, own, host] {
        let refused = rig.client.put("shop", &wrong).await.unwrap_err();
        assert!(matches!(refused, GatewayError::Invalid { .. }), "{wrong:?}: {refused}");
    }
    assert!(TcpListener::bind(listen).is_ok(), "nothing was bound");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_another_program_is_refused_and_nothing_changes() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let routes = vec![route("a", listen, &[&server]), route("b", address, &[&server])];
    let wanted = RouteSet { routes };
    for refused in [
        rig.client.check("shop", &wanted).await.unwrap_err(),
        rig.client.put("shop", &wanted).await.unwrap_err(),
    ] {
        assert!(
            matches!(refused, GatewayError::AddressInUse { address: said } if said == address),
            "{refused}"
        );
    }
    crate::rig::until(|| async { TcpListener::bind(listen).is_ok() }).await;
    drop(taken);
    rig.client.check("shop", &wanted).await.unwrap();
    assert!(TcpListener::bind(listen).is_ok(), "a check leaves nothing bound");
    rig.client.put("shop", &wanted).await.unwrap();
    assert_eq!(get(address, "GET", "/").await.body(), "web-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_is_told_which_one_is_spoken() {
    let rig = Rig::start().await;
    let answer = say(&rig, b"{\"version\":99,\"ask\":{\"verb\":\"from the future\"}}\n").await;
    assert!(answer.contains("\"why\":\"version\"") && answer.contains('2'), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_refused_and_the_gateway_goes_on() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let worker = rig.client.status().await.unwrap().process;
    say(&rig, &vec![b'['; 5 << 20]).await;
    say(&rig, &[b"[".repeat(100_000), b"\n".to_vec()].concat()).await;
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let handle = tokio::runtime::Handle::current();
    let mutated = (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| {
        let mut line = b"{\"version\":2,\"ask\":{\"verb\":\"get\",\"project\":\"shop\"}}\n".to_vec();
        let at = at.index(line.len());
        line[at] = byte;
        line
    });
    let garbage = prop_oneof![proptest::collection::vec(any::<u8>(), 0..300), mutated];
    tokio::task::block_in_place(|| {
        runner.run(&garbage, |bytes| {
            handle.block_on(say(&rig, &bytes));
            Ok(())
        })
    })
    .unwrap();
    let status = rig.client.status().await.unwrap();
    assert_eq!((status.process, status.projects.len()), (worker, 1), "the same worker with the same routes");
    assert_eq!(get(listen, "GET", "/").await.body(), "web-1");
}

#[tokio::test]
async fn nobody_there_is_said_at_once() {
    let folder = tempfile::TempDir::new().unwrap();
    let client = Client::new(folder.path());
    assert!(!client.is_running().await);
    let asked = timeout(Duration::from_secs(2), client.status()).await.unwrap();
    assert!(matches!(asked.unwrap_err(), GatewayError::NotRunning { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_their_names() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    get(listen, "GET", "/").await;
    let text = rig.client.metrics().await.unwrap();
    let labels = "project=\"shop\",route=\"web\"";
    for line in [
        format!("seaworthy_gateway_requests_total{{{labels},backend=\"web-1\",code=\"200\"}} 1"),
        format!("seaworthy_gateway_request_duration_seconds_count{{{labels}}} 1"),
        format!("seaworthy_gateway_backend_up{{{labels},backend=\"web-1\"}} 1"),
        format!("seaworthy_gateway_backend_in_flight{{{labels},backend=\"web-1\"}} 0"),
        "seaworthy_gateway_set_swaps_total 1".to_owned(),
    ] {
        assert!(text.contains(&line), "{line} in {text}");
    }
    // The series of a backend that is gone end, so that deploys do not pile them up.
    let next = Server::start("web-2").await;
    rig.client.put("shop", &set(listen, &[&next])).await.unwrap();
    rig.client.put("shop", &set(listen, &[&next])).await.unwrap();
    assert!(!rig.client.metrics().await.unwrap().contains("web-1"));
}

/// Sends bytes and returns what comes back before the connection ends.
async fn say(rig: &Rig, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(rig.file("admin.sock")).await.unwrap();
    // The other side may close before it has read all of it.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end in time");
    String::from_utf8_lossy(&answer).into_owned()
}
