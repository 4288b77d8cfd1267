//! The catalogue of malformed requests, held against the gateway and, where they are, against nginx and HAProxy.

mod peers;

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use seaworthy_gateway::route::tls::CertificateSource;
use seaworthy_gateway::route::{Route, RouteSet};

use crate::rig::{PATIENCE, Rig, Server, Visitor, free_address, secure, set};

/// One request and the answer it must have.
#[derive(Debug, Clone)]
struct Case {
    name: String,
    /// `200`, and how often.
    status: u16,
    times: usize,
    bytes: Vec<u8>,
}

impl Case {
    fn is_met(&self, found: &[u16], reached: usize, closed: bool) -> bool {
        match self.status {
            200 => found == vec![200; self.times] && reached == self.times,
            refused => found == [refused] && reached == 0 && closed,
        }
    }
}

fn cases() -> Vec<Case> {
    include_str!("catalogue/requests.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (expected, rest) = line.split_once("  ").unwrap();
            let (name, request) = rest.split_once(' ').unwrap();
            let (status, times) = expected.split_once('x').unwrap_or((expected, "1"));
            Case {
                name: name.to_owned(),
                status: status.parse().unwrap(),
                times: times.parse().unwrap(),
                bytes: unescaped(&repeated(request.trim_start())),
            }
        })
        .collect()
}

/// Writes `{x*9}` out.
pub(crate) fn repeated(text: &str) -> String {
    let Some((before, rest)) = text.split_once('{') else { return text.to_owned() };
    let (inside, after) = rest.split_once('}').unwrap();
    let (what, times) = inside.rsplit_once('*').unwrap();
    format!("{before}{}{}", what.repeat(times.parse().unwrap()), repeated(after))
}

pub(crate) fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match (byte, byte == b'\\') {
            (byte, false) => byte,
            (_, true) => match rest.next().unwrap() {
                b'r' => b'\r',
                b'n' => b'\n',
                b't' => b'\t',
                b'0' => 0,
                b'\\' => b'\\',
                b'x' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => panic!("no escape: {other}"),
            },
        });
    }
    bytes
}

/// Sends the bytes, so many at a time; the statuses that come back, and whether the connection was closed then.
async fn statuses(address: SocketAddr, bytes: &[u8], piece: usize, enough: usize) -> (Vec<u16>, bool) {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    statuses_over(stream, bytes, piece, enough).await
}

async fn statuses_over<S>(stream: S, bytes: &[u8], piece: usize, enough: usize) -> (Vec<u16>, bool)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (bytes, asked) = (bytes.to_vec(), String::from_utf8_lossy(bytes).into_owned());
    let sending = tokio::spawn(async move {
        for piece in bytes.chunks(piece) {
            if writer.write_all(piece).await.is_err() || writer.flush().await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        writer
    });
    let mut answer = Vec::new();
    let found = |answer: &[u8]| -> Vec<u16> {
        let text = String::from_utf8_lossy(answer);
        text.split("HTTP/1.").skip(1).filter_map(|rest| rest.get(2..5)?.parse().ok()).collect()
    };
    let mut closed = false;
    let read = async {
        let mut buffer = [0; 4096];
        // An answer that is not a refusal leaves the connection open.
        while found(&answer).len() < enough || found(&answer).last().is_some_and(|status| *status >= 300) {
            match reader.read(&mut buffer).await {
                Ok(0) | Err(_) => {
                    closed = true;
                    break;
                }
                Ok(count) => answer.extend_from_slice(&buffer[..count]),
            }
        }
    };
    let in_time = timeout(PATIENCE, read).await;
    assert!(in_time.is_ok(), "no end in time after {:?} to {}", String::from_utf8_lossy(&answer), asked);
    drop(sending.await);
    (found(&answer), closed)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_malformed_request_is_refused_and_none_reaches_a_backend() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let cases = cases();
    assert!(cases.iter().filter(|case| case.status != 200).count() >= 100);
    let mut wrong = Vec::new();
    for case in &cases {
        for piece in [usize::MAX, 7] {
            // Long ones would only take long.
            let piece = if case.bytes.len() > 1_000 { piece.max(1_000) } else { piece };
            let before = server.seen().len();
            let (found, closed) = statuses(listen, &case.bytes, piece, case.times).await;
            let reached = server.seen().len() - before;
            if !case.is_met(&found, reached, closed) {
                wrong.push(format!(
                    "{} in pieces of {piece}: {found:?}, closed: {closed}, reached: {reached}",
                    case.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let smuggled = |seen: &crate::rig::Seen| seen.target.contains("smuggled");
    assert!(!server.seen().iter().any(smuggled), "nothing is smuggled");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_they_are_refused_as_well() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    let web = secure("web", listen, "shop.example", CertificateSource::SelfSigned, &[&server]);
    // The catalogue names other hosts than the certificate.
    let any = Route { name: "any".to_owned(), host: None, tls: None, ..web.clone() };
    rig.client.put("shop", &RouteSet { routes: vec![web, any] }).await.unwrap();
    let visitor = Visitor::trusting(&rig.file("certificates/self-signed/shop.example.pem"));
    let mut wrong = Vec::new();
    for case in &cases() {
        let before = server.seen().len();
        let stream = visitor.knock(listen, "shop.example").await.unwrap();
        let (found, closed) = statuses_over(stream, &case.bytes, usize::MAX, case.times).await;
        let reached = server.seen().len() - before;
        if !case.is_met(&found, reached, closed) {
            wrong.push(format!("{}: {found:?}, closed: {closed}, reached: {reached}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_sees_one_length_one_host_and_no_trailer() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    for case in cases().iter().filter(|case| case.status == 200) {
        statuses(listen, &case.bytes, usize::MAX, case.times).await;
        let seen = server.last();
        let count = |name: &str| seen.headers.get_all(name).iter().count();
        assert_eq!(count("host"), 1, "{}", case.name);
        assert!(count("content-length") + count("transfer-encoding") <= 1, "{}", case.name);
        assert_eq!(count("content_length"), 0, "{}", case.name);
        match case.name.as_str() {
            "absolute-target-of-another-host" => {
                assert_eq!((seen.header("host"), seen.target.as_str()), ("a", "/x"))
            }
            "encoded-slash" => assert_eq!(seen.target, "/a%2fb"),
            "slashes-in-a-row" => assert_eq!(seen.target, "//a///b"),
            "trailer-that-is-a-length" => assert_eq!(&seen.body[..], b"abc"),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_before_a_malformed_one_is_answered_and_the_refusal_is_told() {
    let (rig, listen, server) = (Rig::start().await, free_address(), Server::start("web-1").await);
    rig.client.put("shop", &set(listen, &[&server])).await.unwrap();
    let two = b"GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\nHost: a\r\n\r\n";
    let (found, closed) = statuses(listen, two, usize::MAX, 2).await;
    assert_eq!((found, closed), (vec![200, 400], true));
    assert_eq!(server.seen().len(), 1);
    let log = || std::fs::read_to_string(rig.file("access.log")).unwrap_or_default();
    crate::rig::until(|| async { log().lines().count() == 2 }).await;
    let last: serde_json::Value = serde_json::from_str(log().lines().last().unwrap()).unwrap();
    assert_eq!((&last["status"], &last["refused"]), (&400.into(), &"bare-line-feed".into()));
}
