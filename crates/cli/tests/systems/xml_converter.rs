//! The XML converter: no state, large bodies that take their time.

use std::io::{Read, Write};
use std::time::Duration;

use super::door::{Answer, answered, exchange, opened};
use super::example::{Example, docker};
use super::load::Load;
use super::site::{free_port, wait_until};
use super::{compose, nothing_failed, trials};

/// Lines of the large body: about 4 MB.
const LINES: usize = 60_000;
const SMALL: &str = "<a><b x=\"1\">t</b></a>";
const CONVERTED: &str = r#"{"tag": "b", "attributes": {"x": "1"}, "text": "t"}"#;

/// What its program listens on.
const PORTS: [u16; 1] = [8000];

fn set_up() -> Example {
    let converter = Example::new("xml-converter");
    converter.fill("production", converter.port, &[]);
    converter
}

fn large() -> String {
    let lines: String =
        (0..LINES).map(|number| format!("<line number=\"{number}\">some words of text</line>\n")).collect();
    format!("<lines>\n{lines}</lines>\n")
}

fn small(port: u16) -> Result<(), String> {
    match exchange(port, "POST", "/convert", "", SMALL)? {
        Answer { status: 200, body, .. } if body.trim() == CONVERTED => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn is_whole(answer: &Answer) {
    assert_eq!(answer.status, 200, "{:.200}", answer.body);
    assert_eq!(answer.body.lines().count(), LINES);
    let last = answer.body.lines().next_back().unwrap();
    assert!(last.contains(&format!("\"{}\"", LINES - 1)), "{last}");
}

fn serves(converter: &Example, version: u32) {
    let answer = converter.request("GET", "/health", "", "").unwrap();
    assert!(answer.body.contains(&converter.version(version)), "{}", answer.body);
}

#[test]
fn development_of_the_converter_stays_as_it_was() {
    let converter = set_up();
    let before = converter.files();
    converter.compose(&compose(), &["up", "--detach", "--build"], "CONVERTER_PORT");
    wait_until("the converter answers", || small(converter.port).is_ok());
    converter.compose(&compose(), &["down", "--volumes", "--timeout", "2"], "CONVERTER_PORT");
    // Python keeps what it compiled beside the mounted source.
    let mut after = converter.files();
    after.retain(|path, _| !path.components().any(|part| part.as_os_str() == "__pycache__"));
    assert!(after == before, "no file was changed");
}

#[test]
fn the_converter_in_production() {
    let converter = set_up();
    let (staging, taken) = (free_port(), trials::taken(&PORTS));
    converter.fill("staging", staging, &[]);
    let before = converter.files();
    trials::is_checked(&converter, &["missing-healthcheck", "source-bind-mount"]);
    converter.ends(0, 1, &["deploy", "-y"]);
    trials::is_kept(&converter);
    trials::only_the_gateway_is_reached(&converter, &PORTS, &taken);
    trials::stands_beside_staging(&converter, staging, "/health");
    serves(&converter, 1);
    is_whole(&converter.request("POST", "/convert", "", &large()).unwrap());
    streams_the_largest_body(&converter);
    has_its_time(&converter);
    trials::bears_one_id(&converter, "web", "/health");

    let port = converter.port;
    let load = Load::of(move || small(port));
    let slow = std::thread::spawn(move || slowly(port));
    let replaced = converter.ends(0, 2, &["deploy", "-y"]);
    assert!(replaced.stderr.contains("finish requests in flight (at most 120 s)"), "{}", replaced.stderr);
    is_whole(&slow.join().unwrap().unwrap());
    serves(&converter, 2);
    converter.change("app.py", "import json\n", "import json\nimport no_such_module\n");
    let broken = converter.ends(3, 3, &["deploy", "-y"]);
    assert!(broken.stderr.contains("what was seen is kept in"), "{}", broken.stderr);
    serves(&converter, 2);
    converter.change("app.py", "import no_such_module\n", "");
    converter.ends(0, 2, &["rollback", "-y"]);
    serves(&converter, 1);
    converter.ends(0, 1, &["scale", "web=4", "-y"]);
    converter.ends(0, 1, &["scale", "web=2", "-y"]);
    nothing_failed(load, 1000);
    trials::survives_a_kill(&converter, "web");

    assert!(converter.files() == before, "no file was changed");
    converter.comes_down(0);
}

/// Sends the large body for as long as a rollout takes: it begins at the old version and must come to its end there.
fn slowly(port: u16) -> Result<Answer, String> {
    const PIECES: usize = 60;
    const PAUSE: Duration = Duration::from_millis(400);
    let body = large();
    let mut stream = opened(port, "POST", "/convert", "", body.len())?;
    for piece in body.as_bytes().chunks(body.len().div_ceil(PIECES)) {
        stream.write_all(piece).map_err(|error| format!("send: {error}"))?;
        std::thread::sleep(PAUSE);
    }
    answered(stream)
}

/// Nearly 300 MB go in and out again, and no replica holds them in memory; what is longer is refused.
fn streams_the_largest_body(converter: &Example) {
    const ROWS: usize = 4_500;
    let row = format!("<row>{}</row>\n", "tide ".repeat(13_000));
    let length = "<rows>".len() + ROWS * row.len() + "</rows>".len();
    assert!((290_000_000..300 << 20).contains(&length), "{length}");
    let mut stream = opened(converter.port, "POST", "/convert", "", length).unwrap();
    let mut sending = stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        sending.write_all(b"<rows>")?;
        (0..ROWS).try_for_each(|_| sending.write_all(row.as_bytes()))?;
        sending.write_all(b"</rows>")
    });
    let (mut rows, mut end, mut buffer) = (0, Vec::new(), vec![0; 1 << 16]);
    loop {
        let read = stream.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        rows += buffer[..read].iter().filter(|byte| **byte == b'{').count();
        end.extend_from_slice(&buffer[read.saturating_sub(8)..read]);
        end.drain(..end.len().saturating_sub(8));
    }
    sender.join().unwrap().unwrap();
    assert_eq!(rows, ROWS);
    assert!(end.ends_with(b"0\r\n\r\n"), "the answer was cut short: {end:?}");
    for container in converter.containers("web") {
        let share = docker(&["stats", "--no-stream", "--format", "{{.MemPerc}}", &container]).concat();
        let share: f64 = share.trim_end_matches('%').parse().unwrap();
        assert!(share < 20.0, "{share} % of 1 GB");
    }
    let stream = opened(converter.port, "POST", "/convert", "", (300 << 20) + 1).unwrap();
    assert_eq!(answered(stream).unwrap().status, 413);
}

/// Two minutes for a request: in the program, and until an instance that is stopped is killed.
fn has_its_time(converter: &Example) {
    let serve = "tr '\\0' ' ' </proc/1/cmdline; echo; gunicorn --print-config app:app";
    for container in converter.containers("web") {
        let told = docker(&["inspect", "--format", "{{.Config.StopTimeout}}", &container]).concat();
        assert_eq!(told, "120");
        let inside = docker(&["exec", &container, "sh", "-c", serve]);
        assert!(inside[0].contains("gunicorn app:app"), "{}", inside[0]);
        for (name, seconds) in [("timeout", "120"), ("graceful_timeout", "110")] {
            let line =
                inside.iter().find(|line| line.split(" = ").next().is_some_and(|word| word.trim() == name));
            assert!(line.is_some_and(|line| line.ends_with(&format!("= {seconds}"))), "{name}: {line:?}");
        }
    }
}
