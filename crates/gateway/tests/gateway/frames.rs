//! HTTP/2 frame by frame: clients that break its rules are told which one, and nothing of it gets to a backend that
//! speaks HTTP/1.1.

mod script;
mod talk;

use seaworthy_gateway::route::{Backend, RouteSet};
use tokio::task::JoinSet;

use crate::rig::{PATIENCE, Rig, Server, free_address, route};

use script::{Case, Wanted, cases};
use talk::{Heard, talk};

impl Case {
    /// What is wrong with what came back, and with what the backend saw.
    fn complaint(&self, heard: &Heard, reached: usize) -> Option<String> {
        let code = |reason: &str| {
            let found =
                script::CODES.iter().position(|known| *known == reason).expect("a reason of the standard");
            Some(u32::try_from(found).unwrap())
        };
        let open = !heard.late
            && heard.pong
            && heard.goaway.is_none()
            && heard.settings_acknowledged == self.settings;
        let (met, reaches) = match &self.wanted {
            Wanted::Answers(status, times) => {
                let met = open && heard.statuses == vec![*status; *times] && heard.resets.is_empty();
                (met, if *status == 200 { *times } else { 0 })
            }
            Wanted::Pong => (open && heard.statuses.is_empty() && heard.resets.is_empty(), 0),
            Wanted::Reset(reason) => {
                (open && heard.statuses.is_empty() && heard.resets.first().copied() == code(reason), 0)
            }
            // What was asked before, with which nothing is wrong, may be answered.
            Wanted::Goaway(reason) => (heard.closed && heard.goaway == code(reason), reached),
            Wanted::Closed => (heard.closed && !heard.pong && heard.goaway.is_none(), 0),
        };
        (!met || reached != reaches)
            .then(|| format!("{}: {:?}, reached: {reached}: {heard:?}", self.name, self.wanted))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broken_rule_is_answered_as_the_standard_has_it() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    // Nobody ever reads what gets there.
    let stuck = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backend = Backend { id: "stuck-1".to_owned(), address: stuck.local_addr().unwrap() };
    let (web, mut other) = (route("web", listen, &[&server]), route("stuck", listen, &[]));
    (other.host, other.probe, other.backends) = (Some("stuck".to_owned()), None, vec![backend]);
    rig.client.put("shop", &RouteSet { routes: vec![web, other] }).await.unwrap();
    let cases = cases();
    let broken = |case: &&Case| !matches!(case.wanted, Wanted::Answers(200, _) | Wanted::Pong);
    assert!(cases.iter().filter(broken).count() >= 100, "{}", cases.len());
    let mut talks = JoinSet::new();
    for case in cases {
        talks.spawn(async move {
            let heard = talk(listen, &case, PATIENCE).await;
            (case, heard)
        });
    }
    let mut wrong = Vec::new();
    while let Some(talked) = talks.join_next().await {
        let (case, heard) = talked.unwrap();
        let own = format!("/{}", case.name);
        let reached = server.seen().iter().filter(|seen| seen.target == own).count();
        wrong.extend(case.complaint(&heard, reached));
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
    let seen = server.seen();
    let smuggled: Vec<_> = seen.iter().filter(|seen| seen.target.contains("smuggled")).collect();
    assert!(smuggled.is_empty(), "{smuggled:#?}");
    let body = seen.iter().find(|seen| seen.target == "/body-that-looks-like-a-request").unwrap();
    assert!(body.body.starts_with(b"0\r\n\r\nGET /smuggled"), "{body:?}");
    let hosts: Vec<_> = seen.iter().filter(|seen| seen.headers.get_all("host").iter().count() != 1).collect();
    assert!(hosts.is_empty(), "{hosts:#?}");
}
