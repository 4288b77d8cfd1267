//! gRPC's health protocol (`grpc.health.v1.Health/Check`), whose two messages have one field each: no more of gRPC is
//! needed to ask.

use std::net::SocketAddr;

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::{no, told};
use crate::ProbeOutcome;

/// What is asked.
const CHECK: &str = "/grpc.health.v1.Health/Check";
/// A field of bytes with the number 1, and one that is a number with the number 1 (Protocol Buffers' wire format).
const TEXT: u8 = 0x0a;
const NUMBER: u8 = 0x08;
/// What a server says of a service, by its number.
const STATUSES: [&str; 4] = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const SERVING: usize = 1;
/// What calls fail with, by its number, where a word helps.
const NOT_FOUND: &str = "5";
const UNIMPLEMENTED: &str = "12";
/// An answer longer than this is none to such a question.
const MOST_BYTES: usize = 4 << 10;

/// Whether a server says that it serves.
pub(crate) async fn ask(address: SocketAddr, service: &str) -> ProbeOutcome {
    let stream = match TcpStream::connect(address).await {
        Ok(stream) => stream,
        Err(error) => return no(told(&error)),
    };
    let shaken = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = match shaken {
        Ok(both) => both,
        Err(error) => return no(format!("it does not speak HTTP/2 without TLS: {error}")),
    };
    tokio::spawn(connection);
    let request = Request::post(format!("http://localhost{CHECK}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("user-agent", "seaworthy-probe")
        .body(Full::new(question(service)));
    let request = match request {
        Ok(request) => request,
        Err(error) => return no(error.to_string()),
    };
    match sender.send_request(request).await {
        Ok(answer) => judged(answer, service).await,
        Err(error) => no(format!("it did not answer in HTTP/2: {error}")),
    }
}

/// The message that asks, with its length before it.
fn question(service: &str) -> Bytes {
    let mut message = BytesMut::new();
    if !service.is_empty() {
        message.put_u8(TEXT);
        // Seven bits a byte, the last ones first.
        let mut length = service.len();
        while length >= 0x80 {
            message.put_u8(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
            length >>= 7;
        }
        message.put_u8(u8::try_from(length).unwrap_or_default());
        message.put_slice(service.as_bytes());
    }
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or_default());
    framed.put_slice(&message);
    framed.freeze()
}

async fn judged(answer: Response<Incoming>, service: &str) -> ProbeOutcome {
    let (head, body) = answer.into_parts();
    if !head.status.is_success() {
        return no(head.status.to_string());
    }
    let Ok(body) = Limited::new(body, MOST_BYTES).collect().await else {
        return no("its answer broke off".to_owned());
    };
    // A call that fails at once says so in its only headers.
    let trailers = body.trailers().cloned().unwrap_or(head.headers);
    let said = |name: &str| text(&trailers, name);
    match said("grpc-status").as_str() {
        "0" => {}
        NOT_FOUND => return no(format!("it knows no service `{service}`")),
        UNIMPLEMENTED => {
            return no("it does not speak gRPC's health protocol (`grpc.health.v1.Health`)".to_owned());
        }
        "" => return no("its answer is none of gRPC".to_owned()),
        code => return no(format!("gRPC status {code} {}", said("grpc-message")).trim().to_owned()),
    }
    match status(&body.to_bytes()) {
        Some(SERVING) => ProbeOutcome { ready: true, detail: "SERVING".to_owned() },
        Some(other) => no(STATUSES.get(other).copied().unwrap_or("a status nobody knows").to_owned()),
        None => no("its answer is none to this question".to_owned()),
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// The status in an answer: nothing where the message is no such answer.
fn status(framed: &[u8]) -> Option<usize> {
    let (head, message) = framed.split_first_chunk::<5>()?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    if head[0] != 0 || usize::try_from(length).ok()? != message.len() {
        return None;
    }
    match message {
        // What is not said is zero.
        [] => Some(0),
        [NUMBER, status] => Some(usize::from(*status)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use hyper::service::service_fn;
    use tokio::net::TcpListener;

    use super::*;

    /// Answers each question with a message, if any, and the status of its call.
    async fn server(message: &'static [u8], code: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service_fn(move |request: Request<Incoming>| async move {
                    assert_eq!((request.method().as_str(), request.uri().path()), ("POST", CHECK));
                    let trailers =
                        HeaderMap::from_iter([("grpc-status".parse().unwrap(), code.parse().unwrap())]);
                    let body = Full::new(Bytes::from_static(message));
                    let body = Box::pin(body.with_trailers(async move { Some(Ok(trailers)) }));
                    Ok::<_, Infallible>(Response::new(body))
                });
                let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        address
    }

    #[tokio::test]
    async fn a_server_is_ready_when_it_says_so_and_else_it_is_told_what_it_said() {
        for (message, code, ready, detail) in [
            (&[0, 0, 0, 0, 2, 8, 1][..], "0", true, "SERVING"),
            (&[0, 0, 0, 0, 2, 8, 2], "0", false, "NOT_SERVING"),
            (&[0, 0, 0, 0, 0], "0", false, "UNKNOWN"),
            (b"", "0", false, "its answer is none to this question"),
            (b"", "5", false, "it knows no service `shop.Orders`"),
            (b"", "12", false, "it does not speak gRPC's health protocol (`grpc.health.v1.Health`)"),
            (b"", "14", false, "gRPC status 14"),
        ] {
            let outcome = ask(server(message, code).await, "shop.Orders").await;
            assert_eq!((outcome.ready, outcome.detail.as_str()), (ready, detail));
        }
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert_eq!(ask(closed, "").await.detail, "connection refused");
    }

    #[test]
    fn a_question_is_as_the_format_has_it() {
        assert_eq!(&question("")[..], [0, 0, 0, 0, 0]);
        assert_eq!(&question("shop.Orders")[..], b"\0\0\0\0\x0d\x0a\x0bshop.Orders");
        let long = question(&"a".repeat(200));
        assert_eq!(long[..8], [0, 0, 0, 0, 203, 0x0a, 0xc8, 1]);
    }

    #[test]
    fn an_answer_is_read_and_what_is_none_is_none() {
        let said = [&[0, 0, 0, 0, 2, 8, 1][..], &[0, 0, 0, 0, 2, 8, 2], &[0, 0, 0, 0, 0]];
        assert_eq!(said.map(status), [Some(1), Some(2), Some(0)]);
        let wrong =
            [&b""[..], &[1, 0, 0, 0, 2, 8, 1], &[0, 0, 0, 0, 3, 8, 1], &[0, 0, 0, 0, 2, 9, 1], b"HTTP/1.1"];
        assert_eq!(wrong.map(status), [None; 5]);
    }
}
