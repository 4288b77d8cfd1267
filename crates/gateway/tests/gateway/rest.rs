//! Connections between two requests: they give back what they need not, and go on as if nothing had been.

use std::time::Duration;

use seaworthy_gateway::route::RouteSet;
use seaworthy_gateway::route::tls::CertificateSource;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::rig::{PATIENCE, Rig, Server, Visitor, free_address, secure, set};

/// Longer than a connection is kept at hand for its next request.
const PAUSE: Duration = Duration::from_millis(700);
/// Resident bytes that a connection without a request may need at most, in a program that is not optimised: half of what
/// it would need if it kept what reads requests. What was given back in pieces counts, too.
const MOST_BYTES: u64 = 20 << 10;

/// Reads so many answers of `web`, and nothing after them.
async fn answers(stream: &mut (impl AsyncRead + Unpin), count: usize) {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    while text.matches("\r\n\r\nweb").count() < count {
        let read = timeout(PATIENCE, stream.read(&mut buffer)).await.expect("an answer in time").unwrap();
        assert!(read > 0, "the connection was closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    assert_eq!(
        (text.matches("HTTP/1.1 200 OK").count(), text.ends_with("\r\n\r\nweb")),
        (count, true),
        "{text}"
    );
}

/// Sends pieces with pauses between them.
async fn say(stream: &mut (impl AsyncWrite + Unpin), pieces: &[&str]) {
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            sleep(PAUSE).await;
        }
        stream.write_all(piece.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
    }
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, server: &Server) {
    let before = server.seen().len();
    let host = "host: shop.example\r\n\r\n";
    for pieces in [
        vec![format!("GET /1 HTTP/1.1\r\n{host}")],
        vec![String::new(), format!("GET /2 HTTP/1.1\r\n{host}")],
        // A head and a body in parts, and what may stand before a head.
        vec![
            "\r\n".to_owned(),
            "POST /3 HT".to_owned(),
            format!("TP/1.1\r\ncontent-length: 5\r\n{host}he"),
            "llo".to_owned(),
        ],
        vec![
            String::new(),
            format!("POST /4 HTTP/1.1\r\ntransfer-encoding: chunked\r\n{host}5\r\nhel"),
            "lo\r\n0\r\n\r\n".to_owned(),
        ],
    ] {
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        say(&mut stream, &pieces).await;
        answers(&mut stream, 1).await;
    }
    // Two at once, and half of a third with them.
    say(&mut stream, &["", &format!("GET /5 HTTP/1.1\r\n{host}GET /6 HTTP/1.1\r\n{host}GET /7 HT")]).await;
    answers(&mut stream, 2).await;
    say(&mut stream, &["", &format!("TP/1.1\r\n{host}")]).await;
    answers(&mut stream, 1).await;
    let seen = server.seen().split_off(before);
    let told: Vec<String> =
        seen.iter().map(|seen| format!("{} {}", seen.target, String::from_utf8_lossy(&seen.body))).collect();
    assert_eq!(told, ["/1 ", "/2 ", "/3 hello", "/4 hello", "/5 ", "/6 ", "/7 "]);
    // The end of a client that rests is heard.
    sleep(PAUSE).await;
    stream.shutdown().await.unwrap();
    let mut left = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut left)).await.expect("an end in time");
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_pauses_is_served_as_if_it_had_not() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web").await);
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    converse(TcpStream::connect(listen).await.unwrap(), &server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_comes_with_tls_is_too() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web").await);
    let host = "shop.example";
    let web = secure("web", listen, host, CertificateSource::SelfSigned, &[&server]);
    rig.client.put("shop", &RouteSet { routes: vec![web] }).await.unwrap();
    let file = rig.file("certificates/self-signed/shop.example.pem");
    converse(Visitor::trusting(&file).knock(listen, host).await.unwrap(), &server).await;
}

/// Resident bytes of a process that are its own.
fn own_bytes(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap();
    let line = text.lines().find(|line| line.starts_with("Private_Dirty:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_that_rest_need_little() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web").await);
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let worker = rig.client.status().await.unwrap().process;
    let mut kept = Vec::new();
    let ask = async |kept: &mut Vec<TcpStream>, count: usize| {
        for _ in 0..count {
            let mut stream = TcpStream::connect(listen).await.unwrap();
            say(&mut stream, &["GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n"]).await;
            answers(&mut stream, 1).await;
            kept.push(stream);
        }
    };
    // What is needed at all is there before it is measured.
    ask(&mut kept, 100).await;
    let before = own_bytes(worker);
    ask(&mut kept, 1_000).await;
    sleep(PAUSE).await;
    let each = own_bytes(worker).saturating_sub(before) / 1_000;
    println!("{each} bytes for each connection that rests");
    assert!(each < MOST_BYTES, "{each} bytes for each connection that rests");
    for stream in kept.iter_mut().rev().take(100) {
        say(stream, &["GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n"]).await;
        answers(stream, 1).await;
    }
}
