//! What happened is what the report says.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use xtask::load::{Ended, Failure, Load, LoadError, Report, Settings, Shape, get_once};

use super::server::{self, Server};

/// Longer than any of this takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

fn settings(target: SocketAddr) -> Settings {
    let shapes = vec![
        Shape::get("/notes/{n}").weight(4),
        Shape::put("/notes/{n}", r#"{"text":"note {n}"}"#).bearer("token-of-the-test"),
    ];
    Settings { rate: 400, ..Settings::new(target, shapes) }
}

/// Sends that many requests and reports.
fn send(settings: Settings, count: u64) -> Report {
    let load = Load::start(settings, "all").expect("good settings");
    assert!(load.wait_until_sent(count, DEADLINE));
    load.stop().expect("a load that did not break down")
}

#[test]
fn a_good_server_gets_every_request_once_at_a_steady_rate() {
    let server = Server::start(None);
    let begun = Instant::now();
    let report = send(settings(server.address), 400);
    assert!(begun.elapsed() >= Duration::from_millis(990), "400 requests at 400/s take a second");
    let total = &report.total;
    assert_eq!((total.failed, total.succeeded), (0, total.sent), "{total:?}");
    assert_eq!(server.count(|seen| &seen.requests), total.sent);
    assert_eq!(server.count(|seen| &seen.puts), total.sent / 5);
    assert_eq!(server.count(|seen| &seen.unauthorised), 0);
    let connections = server.count(|seen| &seen.connections);
    assert!(connections >= 16 + total.sent / 20, "kept ones and one in twenty of its own: {connections}");
    assert!(connections < total.sent, "connections are kept: {connections}");
    assert!(total.p50_ms > 0.0 && total.p50_ms <= total.p99_ms && total.p99_ms <= total.max_ms, "{total:?}");
    assert_eq!(report.ended, Ended::Stopped);
}

#[test]
fn a_stall_is_charged_for_every_request_that_was_due() {
    let server = Server::start(None);
    let load = Load::start(settings(server.address), "before").unwrap();
    assert!(load.wait_until_sent(80, DEADLINE));
    load.phase("stalled").unwrap();
    server.hold();
    assert!(load.wait_until_sent(80 + 200, DEADLINE));
    server.resume();
    load.phase("after").unwrap();
    assert!(load.wait_until_sent(80 + 200 + 80, DEADLINE));
    let report = load.stop().unwrap();
    let [before, stalled, after] = report.phases.as_slice() else { unreachable!("three phases were named") };
    assert_eq!(report.total.failed, 0, "{:?}", report.total);
    assert_eq!(before.numbers.sent + stalled.numbers.sent + after.numbers.sent, report.total.sent);
    // 200 requests were due in half a second of silence, so the middle one waited for a quarter.
    assert!(stalled.numbers.p50_ms > 150.0, "{stalled:?}");
    assert!(report.total.longest_gap_ms > 400.0, "{:?}", report.total);
    assert!(before.numbers.longest_gap_ms < report.total.longest_gap_ms, "{before:?}");
}

#[test]
fn unexpected_statuses_are_counted_each() {
    let server = Server::start(Some(10));
    let report = send(settings(server.address), 200);
    let seen = server.count(|seen| &seen.requests);
    assert_eq!(report.total.failures.get("status 503"), Some(&(seen / 10)), "{:?}", report.total);
    assert_eq!(report.total.failed, seen / 10);
}

#[test]
fn every_reason_has_its_name() {
    let (_held, nobody) = server::nobody();
    let cases: [(SocketAddr, &str); 4] = [
        (nobody, "connection refused"),
        (server::blunt(b""), "connection lost"),
        (server::blunt(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort"), "connection lost"),
        (server::blunt(b"this is not HTTP at all\r\n\r\n"), "bad answer"),
    ];
    for (target, reason) in cases {
        let numbers = send(settings(target), 40).total;
        assert_eq!(
            (numbers.failures.get(reason), numbers.succeeded),
            (Some(&numbers.sent), 0),
            "{reason}: {numbers:?}"
        );
        assert!(numbers.longest_gap_ms >= 90.0, "no success at all is one long gap: {numbers:?}");
    }
}

#[test]
fn no_answer_in_time_is_a_failure() {
    let server = Server::start(None);
    server.hold();
    let settings = Settings { timeout: Duration::from_millis(100), ..settings(server.address) };
    let numbers = send(settings, 40).total;
    assert_eq!(numbers.failures.get("timeout"), Some(&numbers.sent), "{numbers:?}");
    assert!(numbers.p50_ms >= 99.0, "{numbers:?}");
}

#[test]
fn connections_closed_by_the_server_are_replaced_without_failure() {
    let closing = server::blunt(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}");
    let numbers = send(settings(closing), 200).total;
    assert_eq!((numbers.failed, numbers.succeeded), (0, numbers.sent), "{numbers:?}");
}

#[test]
fn limits_end_a_load_and_the_report_says_so() {
    let server = Server::start(None);
    let few = Settings { max_requests: 20, ..settings(server.address) };
    let report = send(few, 20);
    assert_eq!((report.ended, report.total.sent), (Ended::RequestLimit, 20));

    let short = Settings { max_duration: Duration::from_millis(100), ..settings(server.address) };
    let load = Load::start(short, "all").unwrap();
    let begun = Instant::now();
    while load.is_running() && begun.elapsed() < DEADLINE {
        std::thread::yield_now();
    }
    let report = load.stop().unwrap();
    assert_eq!((report.ended, report.total.sent), (Ended::TimeLimit, 40));
}

#[test]
fn only_this_machine_is_sent_to() {
    let elsewhere = settings("192.0.2.1:80".parse().unwrap());
    assert!(matches!(Load::start(elsewhere, "all"), Err(LoadError::NotLoopback(_))));
}

#[test]
fn one_answer_can_be_seen() {
    let server = Server::start(Some(2));
    assert_eq!(get_once(server.address, "/version").unwrap(), "{}");
    let second = get_once(server.address, "/version");
    assert!(matches!(second, Err(LoadError::NoAnswer { failure: Failure::Status(503), .. })), "{second:?}");
    assert!(get_once("192.0.2.1:80".parse().unwrap(), "/").is_err());
}

#[test]
fn a_report_is_json() {
    let server = Server::start(None);
    let json = serde_json::to_value(send(settings(server.address), 10)).unwrap();
    assert_eq!(json["ended"], "stopped");
    assert_eq!(json["phases"][0]["name"], "all");
    assert!(json["phases"][0]["p99_ms"].is_number() && json["total"]["failures"].is_object());
}
