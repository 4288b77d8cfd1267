//! A stop fails no request.

use std::io::Write;
use std::net::TcpStream;

use nix::sys::signal::Signal;

use crate::program::{Program, TOKEN, WEB, WORKER, answer, database, migrate, wait_for};

#[test]
fn sigterm_lets_a_slow_request_finish() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let folder = tempfile::tempdir().unwrap();
        migrate(folder.path());
        let web = Program::web(WEB, folder.path());
        let address = web.address();
        let body = r#"{"text":"slowly written"}"#;
        let (first, last) = body.split_at(10);
        let mut slow = web.begin("PUT /notes/slow", body.len());
        slow.write_all(first.as_bytes()).unwrap();
        wait_for("the slow request", || {
            web.get("/metrics").body.contains("http_requests_in_flight 2").then_some(())
        });

        web.signal(signal);
        web.message("stopping: not ready from now on");
        wait_for("the port to close", || TcpStream::connect(&address).err());
        slow.write_all(last.as_bytes()).unwrap();
        let answer = answer(slow);
        assert_eq!(answer.status, 201, "{answer:?}");
        assert!(answer.head.contains("connection: close"));
        let (status, lines) = web.end();
        assert_eq!(
            (status.code(), &lines.last().unwrap()["message"]),
            (Some(0), &"stopped".into()),
            "{lines:?}"
        );
    }
}

#[test]
fn not_ready_at_once_but_still_serving() {
    let folder = tempfile::tempdir().unwrap();
    migrate(folder.path());
    let path = database(folder.path());
    let variables =
        [("DATABASE_PATH", path.as_str()), ("NOTES_TOKEN", TOKEN), ("STOP_LINGER_MILLISECONDS", "60000")];
    let web = Program::start(WEB, &variables);
    wait_for("readiness", || (web.get("/ready").status == 200).then_some(()));
    web.signal(Signal::SIGTERM);
    web.message("stopping: not ready from now on");
    let ready = web.get("/ready");
    assert_eq!((ready.status, &ready.json()["status"]), (503, &"draining".into()));
    let served = web.get("/notes");
    assert!(served.status == 200 && served.head.contains("connection: close"), "{served:?}");
    web.signal(Signal::SIGINT);
    assert!(web.end().0.success());
}

#[test]
fn the_worker_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    migrate(folder.path());
    let variables = [("DATABASE_PATH", &*database(folder.path())), ("WORKER_INTERVAL_SECONDS", "3600")];
    let worker = Program::start(WORKER, &variables);
    worker.message("words counted");
    worker.signal(Signal::SIGTERM);
    let (status, lines) = worker.end();
    assert_eq!((status.code(), &lines.last().unwrap()["message"]), (Some(0), &"stopped".into()));
}
