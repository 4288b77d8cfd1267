//! Answers made shorter on their way, over the wire.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::Method;
use seaworthy_gateway::route::{Backend, Compression, Route, RouteSet, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::rig::{PATIENCE, Rig, free_address, route};
use crate::site::over_http2;

/// So many bytes that are not all alike.
fn page(bytes: usize) -> String {
    let mut text: String =
        (0_u64..).map(|number| format!("<p>{}</p>", number * number)).take(bytes / 7 + 1).collect();
    text.truncate(bytes);
    text
}

/// A backend that answers `/N` with a page of N bytes, with the headers in the query, and `/slow` in two parts, the second
/// when told.
async fn backend() -> (SocketAddr, Arc<Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, go_on) = (listener.local_addr().unwrap(), Arc::new(Notify::new()));
    let told = go_on.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, told.clone()));
        }
    });
    (address, go_on)
}

async fn serve(mut stream: TcpStream, go_on: Arc<Notify>) -> std::io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).await? == 0 {
            return Ok(());
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or("/");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut answer = "HTTP/1.1 200 OK\r\nconnection: close\r\netag: \"one\"\r\n".to_owned();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        answer += &format!("{}\r\n", pair.replace('=', ": ").replace('+', " "));
    }
    if !answer.contains("content-type") {
        answer += "content-type: text/html\r\n";
    }
    if path == "/slow" {
        answer += "transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n";
        stream.write_all(answer.as_bytes()).await?;
        go_on.notified().await;
        return stream.write_all(b"6\r\nsecond\r\n0\r\n\r\n").await;
    }
    let body = page(path[1..].parse().unwrap_or(0));
    answer += &format!("content-length: {}\r\n\r\n", body.len());
    if !head.starts_with("HEAD") {
        answer += &body;
    }
    stream.write_all(answer.as_bytes()).await
}

async fn served() -> (Rig, SocketAddr, Arc<Notify>) {
    let (rig, listen, (address, go_on)) = (Rig::start().await, free_address(), backend().await);
    let site = Site { compression: Some(Compression::default()), ..Site::default() };
    let backends = vec![Backend { id: "pages".into(), address }];
    let web = Route { site, backends, probe: None, ..route("web", listen, &[]) };
    rig.client.put("shop", &RouteSet { routes: vec![web] }).await.unwrap();
    (rig, listen, go_on)
}

/// The headers and the body of an answer over HTTP/1.1, chunks taken apart.
async fn ask(
    listen: SocketAddr,
    method: &str,
    target: &str,
    lines: &str,
) -> (BTreeMap<String, String>, Vec<u8>) {
    let mut stream = TcpStream::connect(listen).await.unwrap();
    let request = format!("{method} {target} HTTP/1.1\r\nhost: a\r\n{lines}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut all)).await.unwrap().unwrap();
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&all[..end]).into_owned();
    let pairs = head.lines().filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<String, String> = pairs.map(|(name, value)| (name.into(), value.into())).collect();
    let mut rest = &all[end + 4..];
    if headers.get("transfer-encoding").is_none_or(|coding| coding != "chunked") {
        return (headers, rest.to_vec());
    }
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return (headers, body);
        }
        body.extend_from_slice(&rest[line + 2..][..size]);
        rest = &rest[line + 4 + size..];
    }
}

fn read(coding: &str, body: &[u8]) -> String {
    let mut text = String::new();
    match coding {
        "gzip" => flate2::read::MultiGzDecoder::new(body).read_to_string(&mut text).unwrap(),
        "br" => brotli::Decompressor::new(body, 4096).read_to_string(&mut text).unwrap(),
        "zstd" => zstd::stream::read::Decoder::new(body).unwrap().read_to_string(&mut text).unwrap(),
        other => panic!("{other}"),
    };
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn each_coding_gives_the_same_and_is_shorter() {
    let (_rig, listen, _) = served().await;
    let whole = page(300_000);
    for coding in ["gzip", "br", "zstd"] {
        let lines = format!("accept-encoding: {coding};q=0.5, identity\r\n");
        let (headers, body) = ask(listen, "GET", "/300000", &lines).await;
        assert_eq!((headers["content-encoding"].as_str(), headers["etag"].as_str()), (coding, "W/\"one\""));
        assert_eq!((headers["vary"].as_str(), headers.get("content-length")), ("accept-encoding", None));
        assert!(body.len() < whole.len() / 2, "{coding}: {} bytes", body.len());
        assert!(read(coding, &body) == whole, "{coding}");
        let answer = over_http2(listen, Method::GET, "/300000", &[("accept-encoding", coding)]).await;
        assert_eq!(answer.headers()["content-encoding"], coding);
        assert!(read(coding, answer.body()) == whole, "{coding}");
        let (head, body) = ask(listen, "HEAD", "/300000", &lines).await;
        assert_eq!(
            (head["content-encoding"].as_str(), head.get("content-length"), body.len()),
            (coding, None, 0)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_or_does_not_pay_comes_as_it_is() {
    let (_rig, listen, _) = served().await;
    for (target, lines, vary) in [
        ("/5000", "", true),
        ("/5000", "accept-encoding: gzip;q=0\r\n", true),
        ("/5000", "accept-encoding: gzip\r\ncache-control: no-transform\r\n", true),
        ("/5000?cache-control=no-transform", "accept-encoding: gzip\r\n", false),
        ("/5000?content-encoding=br", "accept-encoding: gzip\r\n", false),
        ("/5000?content-range=bytes+0-4999/9000", "accept-encoding: gzip\r\n", false),
        ("/5000?content-type=image/png", "accept-encoding: gzip\r\n", false),
        ("/5000?content-type=text/event-stream", "accept-encoding: gzip\r\n", false),
        ("/1023", "accept-encoding: gzip\r\n", false),
    ] {
        let (headers, body) = ask(listen, "GET", target, lines).await;
        assert_eq!(
            String::from_utf8(body).unwrap(),
            page(headers["content-length"].parse().unwrap()),
            "{target}"
        );
        assert_eq!(headers["etag"], "\"one\"", "{target}");
        assert_eq!(headers.contains_key("vary"), vary, "{target} {lines}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_held_back_while_a_backend_pauses() {
    let (_rig, listen, go_on) = served().await;
    for coding in ["gzip", "br", "zstd"] {
        let mut stream = TcpStream::connect(listen).await.unwrap();
        let request = format!(
            "GET /slow HTTP/1.1\r\nhost: a\r\naccept-encoding: {coding}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut got = Vec::new();
        let decoded = |got: &[u8]| -> String {
            let Some(end) = got.windows(4).position(|four| four == b"\r\n\r\n") else { return String::new() };
            let (mut rest, mut body) = (&got[end + 4..], Vec::new());
            while let Some(line) = rest.windows(2).position(|two| two == b"\r\n") {
                let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
                let Some(part) = rest.get(line + 2..line + 2 + size).filter(|part| !part.is_empty()) else {
                    break;
                };
                body.extend_from_slice(part);
                rest = rest.get(line + 4 + size..).unwrap_or_default();
            }
            // What is there so far can be read, though the end is missing.
            let mut text = Vec::new();
            let _ = match coding {
                "gzip" => flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut text),
                "br" => brotli::Decompressor::new(&body[..], 4096).read_to_end(&mut text),
                _ => zstd::stream::read::Decoder::new(&body[..]).unwrap().read_to_end(&mut text),
            };
            String::from_utf8(text).unwrap()
        };
        let mut buffer = [0; 4096];
        for wanted in ["first", "firstsecond"] {
            while decoded(&got) != wanted {
                let count =
                    timeout(PATIENCE, stream.read(&mut buffer)).await.expect("it is not held back").unwrap();
                assert!(count > 0, "{coding}: it ended with {:?}", decoded(&got));
                got.extend_from_slice(&buffer[..count]);
            }
            // Once for each answer: what is left over would let the next one go on at once.
            if wanted == "first" {
                go_on.notify_one();
            }
        }
    }
}
