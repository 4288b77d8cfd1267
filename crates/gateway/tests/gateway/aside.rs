//! Backends that are taken out of traffic by hand.

use hyper::StatusCode;
use rustix::process::Signal;

use crate::rig::{Rig, Server, free_address, get, set, until};

async fn set_aside(rig: &Rig) -> Vec<String> {
    let status = rig.client.status().await.unwrap();
    let all = status.projects.iter().flat_map(|project| &project.backends);
    all.filter(|backend| backend.set_aside).map(|backend| backend.id.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_aside_gets_nothing_until_it_is_undone_or_the_set_changes() {
    let (rig, listen) = (Rig::start().await, free_address());
    let (one, two) = (Server::start("one").await, Server::start("two").await);
    let wanted = set(listen, &[&one, &two]);
    rig.client.put("shop", &wanted).await.unwrap();
    rig.client.set_aside("shop", &["one".to_owned()], true).await.unwrap();
    let only_two = async || {
        let before = one.arrived();
        for _ in 0..10 {
            assert_eq!(get(listen, "GET", "/").await.body(), "two");
        }
        assert_eq!(one.arrived(), before);
    };
    only_two().await;

    // It outlives the worker, and a set that is the same.
    let killed = rig.signal("work", Signal::KILL).await;
    until(|| async {
        rig.client.status().await.is_ok_and(|status| i64::from(status.process) != i64::from(killed))
    })
    .await;
    assert_eq!(set_aside(&rig).await, ["one"]);
    let log = std::fs::read_to_string(rig.file("gateway.log")).unwrap();
    assert!(log.contains("backend one of shop/web is taken out of traffic by hand"), "{log}");
    assert!(
        rig.client
            .metrics()
            .await
            .unwrap()
            .contains("backend_up{project=\"shop\",route=\"web\",backend=\"one\"} 0")
    );
    rig.client.put("shop", &wanted).await.unwrap();
    assert_eq!(set_aside(&rig).await, ["one"]);
    only_two().await;

    rig.client.set_aside("shop", &["one".to_owned()], false).await.unwrap();
    until(|| async { get(listen, "GET", "/").await.body() == "one" }).await;
    rig.client
        .set_aside("shop", &["one".to_owned(), "two".to_owned(), "nobody".to_owned()], true)
        .await
        .unwrap();
    assert_eq!(get(listen, "GET", "/").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let three = Server::start("three").await;
    rig.client.put("shop", &set(listen, &[&one, &three])).await.unwrap();
    assert!(set_aside(&rig).await.is_empty(), "another set begins anew");
    until(|| async { get(listen, "GET", "/").await.body() == "one" }).await;
}
