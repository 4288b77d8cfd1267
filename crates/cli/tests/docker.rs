//! The way of a release on a real Docker Engine: built, deployed, rolled under load, broken and kept, rolled back,
//! killed and settled, taken down with nothing left over.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "code of tests"
)]

#[path = "docker/bad_input.rs"]
mod bad_input;
#[path = "docker/containers.rs"]
mod containers;
#[path = "docker/faults.rs"]
mod faults;
#[path = "docker/healing.rs"]
mod healing;
#[path = "docker/kill.rs"]
mod kill;
#[path = "support/load.rs"]
mod load;
#[path = "docker/operate.rs"]
mod operate;
#[path = "docker/ports.rs"]
mod ports;
#[path = "docker/prove.rs"]
mod prove;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "docker/rollout.rs"]
mod rollout;
#[path = "support/site.rs"]
mod site;

use containers::{Containers, docker};
use load::Load;
use proxy::Proxy;
use site::{CANARY, files_below, wait_until};

#[test]
fn a_release_goes_its_way_with_no_failed_request_and_leaves_nothing() {
    let shop = Containers::new();
    let first = shop.done(&["deploy", "-y"]);
    assert_eq!(shop.site.get("/").unwrap(), "version 001 greeting hello", "{}", first.all());
    assert_eq!(shop.left(&["ps", "--all"]).len(), 5, "three of web, a worker, and the job that ended");
    let load = Load::start(shop.site.port);

    shop.install(2);
    shop.done(&["deploy", "-y"]);
    assert_eq!(shop.site.get("/").unwrap(), "version 002 greeting hello");

    shop.install(900);
    let broken = shop.run(&["deploy", "-y"]);
    assert_eq!(broken.code, 3, "{}", broken.all());
    assert!(
        broken.stderr.contains("503") && broken.stderr.contains("what was seen is kept in"),
        "{}",
        broken.stderr
    );
    assert_eq!(shop.site.get("/").unwrap(), "version 002 greeting hello");

    shop.done(&["scale", "web=5", "-y"]);
    shop.done(&["scale", "web=2", "-y"]);
    shop.done(&["restart", "web", "-y"]);
    // A rollback needs neither the sources nor the value of the secret: both are gone.
    std::fs::remove_dir_all(shop.site.project().join("image")).unwrap();
    std::fs::remove_file(shop.site.project().join(".env")).unwrap();
    shop.done(&["rollback", "1", "-y"]);
    assert_eq!(shop.site.get("/").unwrap(), "version 001 greeting hello");

    let (sent, failures) = load.stop();
    let shown = &failures[..failures.len().min(5)];
    assert!(failures.is_empty(), "{} of {sent} requests failed: {shown:?}", failures.len());
    assert!(sent > 1000, "only {sent} requests were sent");
    shop.done(&["down", "-y"]);
    assert_eq!(shop.left(&["ps", "--all"]), [""; 0]);
    assert_eq!(shop.left(&["network", "ls"]), [""; 0]);
    assert_eq!(shop.left(&["volume", "ls"]).len(), 1, "data is kept until it is asked for");
    shop.done(&["down", "-y", "--volumes"]);
    assert_eq!(shop.left(&["volume", "ls"]), [""; 0]);
    wait_until("no process is left", || shop.site.processes().is_empty());
}

#[test]
fn an_unchanged_project_is_not_touched_and_no_secret_is_seen() {
    let shop = Containers::new();
    let mut seen = shop.done(&["-v", "deploy", "-y"]).all();
    let before = shop.left(&["ps", "--all"]);
    let again = shop.done(&["deploy", "-y"]);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    assert_eq!(shop.left(&["ps", "--all"]), before);
    for command in
        [["status", "--format", "json"], ["ps", "--format", "json"], ["history", "--format", "json"]]
    {
        seen.push_str(&shop.done(&command).all());
    }
    let ids: Vec<&str> = before.iter().map(String::as_str).collect();
    seen.push_str(&docker(&[&["inspect"], ids.as_slice()].concat()).concat());
    assert!(!seen.contains(CANARY), "a secret was shown");
    for file in files_below(&shop.site.state()) {
        let contents = std::fs::read(&file).unwrap_or_default();
        let found = contents.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(!found, "a secret is in `{}`", file.display());
    }
}

#[test]
fn looking_changes_nothing() {
    let shop = Containers::new();
    let proxy = Proxy::start(&shop.site.project(), "looking.sock", None);
    assert_eq!(shop.run_through(&proxy, &["plan"]).code, 0);
    shop.done(&["deploy", "-y"]);
    shop.site.write("compose.yaml", &shop.compose(2).replace("hello", "changed"));
    for command in [["plan"].as_slice(), &["status"], &["ps"], &["logs"], &["history"], &["doctor"]] {
        let ran = shop.run_through(&proxy, command);
        assert_eq!(ran.code, 0, "{}", ran.all());
    }
    assert!(proxy.calls() > 20, "it went through the proxy");
    assert_eq!(proxy.changing(), [""; 0]);
}
