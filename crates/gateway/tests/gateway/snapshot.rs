//! What the gateway starts from when it was gone.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;
use seaworthy_gateway::route::RouteSet;
use tempfile::TempDir;

use crate::rig::{Rig, Server, free_address, get, set, until};

/// A state folder with a snapshot of somebody's making.
fn folder_with(snapshot: &[u8]) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("gateway")).unwrap();
    fs::write(folder.path().join("gateway/snapshot.json"), snapshot).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_snapshot_is_put_aside_and_nothing_is_served() {
    let listen = free_address();
    let valid = serde_json::json!({"version": 1, "projects": {"shop": set(listen, &[])}}).to_string();
    let newer = serde_json::json!({"version": 3, "projects": [], "more": true}).to_string();
    for (bytes, word) in [(&valid.as_bytes()[..valid.len() / 2], "snapshot"), (newer.as_bytes(), "version 3")]
    {
        let rig = Rig::start_in(folder_with(bytes)).await;
        let status = rig.client.status().await.unwrap();
        let problem = status.snapshot_problem.expect("it is said");
        assert!(problem.contains(word), "{problem}");
        assert!(status.projects.is_empty());
        assert!(TcpListener::bind(listen).is_ok());
        assert!(fs::read_to_string(rig.file("gateway.log")).unwrap().contains("moved aside"));
        let aside = fs::read_dir(rig.file("")).unwrap().flatten();
        let kept = aside.filter(|file| fs::read(file.path()).is_ok_and(|found| found == bytes)).count();
        assert_eq!(kept, 1, "a person can look at it");
        // It goes on from nothing.
        let server = Server::start("web-1").await;
        rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
        assert_eq!(get(listen, "GET", "/").await.body(), "web-1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_that_no_route_uses_are_let_go() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    fs::write(rig.file("snapshot.json"), "{").unwrap();
    rig.signal("work", Signal::KILL).await;
    // Connections must be refused, not left waiting for a route that nobody knows any more.
    until(|| async { TcpListener::bind(listen).is_ok() }).await;
    assert!(rig.client.status().await.unwrap().snapshot_problem.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_whose_address_was_taken_meanwhile_is_not_forgotten() {
    let (listen, other) = (free_address(), free_address());
    let server = Server::start("web-1").await;
    let projects = serde_json::json!({"blog": set(listen, &[&server]), "shop": set(other, &[&server])});
    let taken = TcpListener::bind(listen).unwrap();
    let folder = folder_with(serde_json::json!({"version": 1, "projects": projects}).to_string().as_bytes());
    let rig = Rig::start_in(folder).await;
    assert_eq!(get(other, "GET", "/").await.body(), "web-1");
    drop(taken);
    until(|| async { std::net::TcpStream::connect(listen).is_ok() }).await;
    assert_eq!(get(listen, "GET", "/").await.body(), "web-1");
    let saved = saved(&rig);
    assert_eq!(saved.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_on_disk_for_its_owner_alone() {
    let (rig, server) = (Rig::start().await, Server::start("web-1").await);
    let wanted = set(free_address(), &[&server]);
    rig.client.put("shop", &wanted).await.unwrap();
    assert_eq!(saved(&rig), [("shop".to_owned(), wanted)]);
    let mode = fs::metadata(rig.file("snapshot.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_cannot_be_written_is_not_served() {
    let (rig, server) = (Rig::start().await, Server::start("web-1").await);
    let (before, listen) = (free_address(), free_address());
    rig.client.put("shop", &set(before, &[&server])).await.unwrap();
    // A folder in the place of the file that is written first.
    fs::create_dir(rig.file("snapshot.json.new")).unwrap();
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap_err();
    assert_eq!(rig.client.get("shop").await.unwrap().unwrap().0, set(before, &[&server]));
    assert_eq!(get(before, "GET", "/").await.body(), "web-1");
    until(|| async { TcpListener::bind(listen).is_ok() }).await;
}

fn saved(rig: &Rig) -> Vec<(String, RouteSet)> {
    let text = fs::read_to_string(rig.file("snapshot.json")).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let projects: std::collections::BTreeMap<String, RouteSet> =
        serde_json::from_value(value["projects"].take()).unwrap();
    projects.into_iter().collect()
}
