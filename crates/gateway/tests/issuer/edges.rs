//! What goes wrong with issuers: they have enough of us, clocks differ, disks are full, nobody answers for weeks. The route is
//! served through all of it, and what was had before is served on.

use std::net::Ipv4Addr;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use seaworthy_gateway::route::RouteSet;
use seaworthy_gateway::route::tls::Acme;

use crate::gateway::rig::{self, Rig, Server, Visitor, raw, until};
use crate::scripted::{Script, Scripted};
use crate::{kept, own_address, set};

/// A gateway before such an issuer.
struct Stage {
    rig: Rig,
    server: Server,
    issuer: Scripted,
    host: Ipv4Addr,
}

impl Stage {
    async fn new(script: Script) -> Self {
        let host = own_address();
        let issuer = Scripted::start(&host.to_string(), script).await;
        Self { rig: Rig::start().await, server: Server::start("web-1").await, issuer, host }
    }

    async fn put(&self) {
        let acme = Acme { directory: self.issuer.directory(), email: None, roots: Some(self.issuer.roots()) };
        let set: RouteSet = set(self.host, &[80, 443], self.host, &acme, &self.server);
        self.rig.client.put("shop", &set).await.unwrap();
    }

    /// Starts the worker again, which reads all from disk.
    async fn restart(&self) {
        let worker = self.rig.client.status().await.unwrap().process;
        self.rig.signal("work", rustix::process::Signal::KILL).await;
        until(|| async { self.rig.client.status().await.is_ok_and(|status| status.process != worker) }).await;
    }

    /// Whether a client that trusts this file is answered over TLS.
    async fn serves(&self, trusted: &std::path::Path) -> Result<(), String> {
        let visitor = Visitor::trusting(trusted);
        let answer = visitor.get((self.host, 443).into(), &self.host.to_string(), "/").await;
        answer.map(|answer| assert_eq!(answer.body(), "web-1")).map_err(|error| error.to_string())
    }

    /// Waits until what the issuer gave is served.
    async fn issued(&self) {
        let until = tokio::time::Instant::now() + rig::PATIENCE;
        while let Err(error) = self.serves(&self.issuer.roots()).await {
            let problems = self.problems().await;
            assert!(tokio::time::Instant::now() < until, "{error}: {problems}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    async fn serves_plain(&self) -> bool {
        let plain = format!("GET / HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.host);
        raw((self.host, 80).into(), &plain, "\r\n\r\nweb-1").await.ends_with("web-1")
    }

    fn pace(&self) -> serde_json::Value {
        let path = kept(&self.rig, ".pace").expect("a file of the pace");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    fn next(&self) -> Timestamp {
        self.pace()["next"].as_str().unwrap().parse().unwrap()
    }

    async fn has_problem(&self, source: &str) -> bool {
        let line = format!("certificate_problem{{host=\"{}\",source=\"{source}\"}} 1\n", self.host);
        self.rig.client.metrics().await.unwrap().contains(&line)
    }

    async fn problems(&self) -> String {
        self.rig.client.status().await.unwrap().certificate_problems.join("\n")
    }

    /// Has most of the life of the certificate that is kept be over, and returns it as one that a client trusts.
    async fn age(&self) -> (std::path::PathBuf, String) {
        let aged = rig::aged(&self.host.to_string());
        let file = kept(&self.rig, ".pem").unwrap();
        std::fs::write(&file, &aged).unwrap();
        let trusted = self.rig.folder().join("aged.pem");
        std::fs::write(&trusted, &aged).unwrap();
        (trusted, aged)
    }
}

fn hours_from_now(hours: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(hours)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_asked_no_sooner_than_an_issuer_that_has_enough_says() {
    for after in ["7200".to_owned(), hours_from_now(2).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()] {
        let stage = Stage::new(Script { enough: Some(after.clone()), ..Script::default() }).await;
        stage.put().await;
        until(|| stage.has_problem("stand-in")).await;
        assert!(stage.next() > hours_from_now(2) - SignedDuration::from_mins(5), "{after}: {}", stage.pace());
        assert!(
            stage.problems().await.contains("too many certificates for this host"),
            "{}",
            stage.problems().await
        );
        assert!(stage.serves_plain().await);
        // Neither a new set nor a new worker makes it more.
        stage.restart().await;
        stage.put().await;
        until(|| stage.has_problem("stand-in")).await;
        assert_eq!(stage.issuer.orders(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_has_not_begun_or_is_over_by_our_clock_is_asked_for_slowly() {
    for (holds, said) in [((24 * 3600, 48 * 3600), "holds only from"), ((-48 * 3600, -3600), "expired on")] {
        let stage = Stage::new(Script { holds: Some(holds), ..Script::default() }).await;
        stage.put().await;
        until(|| stage.has_problem("acme")).await;
        assert!(stage.problems().await.contains(said), "{}", stage.problems().await);
        assert_eq!(stage.pace()["failures"], 1, "{}", stage.pace());
        assert!(stage.next() > Timestamp::now() + SignedDuration::from_mins(10), "{}", stage.pace());
        stage.restart().await;
        until(|| async { !stage.problems().await.is_empty() }).await;
        assert_eq!(stage.issuer.orders(), 1);
    }
}

/// A folder that holds as little as this; it is taken away in the end.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    /// Nothing where this user may not make one.
    fn at(folder: &std::path::Path) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let made = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs"])
            .arg(folder)
            .output();
        made.is_ok_and(|made| made.status.success()).then(|| Self(folder.to_owned()))
    }

    fn fill(folder: &std::path::Path) {
        let _ = std::fs::write(folder.join("ballast"), vec![0; 1 << 20]);
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_disk_is_full_nothing_is_asked_for_and_the_old_one_is_served() {
    let stage = Stage::new(Script::default()).await;
    let folder = stage.rig.file("certificates/acme");
    let Some(disk) = SmallDisk::at(&folder) else {
        eprintln!("skipped: needs the right to mount a file system");
        return;
    };
    stage.put().await;
    stage.issued().await;
    let (trusted, aged) = stage.age().await;
    SmallDisk::fill(&folder);
    let asked = stage.issuer.orders();
    stage.restart().await;
    until(|| stage.has_problem("acme")).await;
    assert!(
        stage.problems().await.contains("nothing is asked for that could not be kept"),
        "{}",
        stage.problems().await
    );
    stage.serves(&trusted).await.unwrap();
    assert_eq!(stage.issuer.orders(), asked);
    let log = || std::fs::read_to_string(stage.rig.file("gateway.log")).unwrap();
    assert_eq!(log().matches("cannot be written").count(), 1, "it is said once");
    // With room again it goes on by itself.
    disk.empty();
    stage.issued().await;
    assert_ne!(std::fs::read_to_string(kept(&stage.rig, ".pem").unwrap()).unwrap(), aged);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_kept_any_more_when_it_comes_leaves_the_old_one_whole() {
    let stage = Stage::new(Script::default()).await;
    let folder = stage.rig.file("certificates/acme");
    let Some(_disk) = SmallDisk::at(&folder) else {
        eprintln!("skipped: needs the right to mount a file system");
        return;
    };
    stage.put().await;
    stage.issued().await;
    let (trusted, aged) = stage.age().await;
    let full = folder.clone();
    stage.issuer.script.lock().unwrap().before_handing_out = Some(Box::new(move || SmallDisk::fill(&full)));
    stage.restart().await;
    until(|| stage.has_problem("acme")).await;
    assert!(stage.problems().await.contains("cannot be written"), "{}", stage.problems().await);
    stage.serves(&trusted).await.unwrap();
    assert_eq!(std::fs::read_to_string(kept(&stage.rig, ".pem").unwrap()).unwrap(), aged);
    let asked = stage.issuer.orders();
    stage.restart().await;
    stage.serves(&trusted).await.unwrap();
    assert_eq!(stage.issuer.orders(), asked, "the next try has to wait");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_down_until_the_old_one_is_over_stands_in_nobodys_way() {
    let mut stage = Stage::new(Script::default()).await;
    stage.put().await;
    stage.issued().await;
    stage.issuer.stop().await;
    let (trusted, _) = stage.age().await;
    stage.restart().await;
    until(|| stage.has_problem("acme")).await;
    let told = stage.problems().await;
    assert!(
        told.contains("cannot be reached") && told.contains("the one that is served holds until"),
        "{told}"
    );
    stage.serves(&trusted).await.unwrap();
    // As after weeks of this: it is tried about once an hour, and no less.
    let path = kept(&stage.rig, ".pace").unwrap();
    let many = serde_json::json!({ "failures": 0, "unreached": 400, "next": Timestamp::now().to_string(), "reason": "down" });
    std::fs::write(&path, many.to_string()).unwrap();
    until(|| async { stage.pace()["unreached"] == 401 }).await;
    let next = stage.next();
    assert!(next > Timestamp::now() + SignedDuration::from_mins(50), "{next}");
    assert!(next < Timestamp::now() + SignedDuration::from_mins(75), "{next}");
    // And when it is over it is served all the same: clients that do not look are still answered, and others say why.
    let over = rig::over(&stage.host.to_string());
    std::fs::write(kept(&stage.rig, ".pem").unwrap(), &over).unwrap();
    std::fs::write(&trusted, &over).unwrap();
    stage.restart().await;
    until(|| async { stage.problems().await.contains("the one that is served expired on") }).await;
    let refused = stage.serves(&trusted).await.unwrap_err();
    assert!(refused.contains("expired") || refused.contains("Expired"), "{refused}");
    assert!(stage.has_problem("acme").await);
    assert_eq!(stage.server.seen().last().map(|seen| seen.target.clone()).as_deref(), Some("/"));
}
