//! Questions that any instance can be asked over its address, and how answers are told.

pub(crate) mod grpc;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::ProbeOutcome;

/// So much of an answer is shown.
pub(crate) const SHOWN: usize = 4 << 10;

/// An answer, or a no when it does not come in time.
pub(crate) async fn within(limit: Duration, answer: impl Future<Output = ProbeOutcome>) -> ProbeOutcome {
    timeout(limit, answer).await.unwrap_or_else(|_| no(format!("no answer within {} s", limit.as_secs_f64())))
}

/// Whether it takes connections.
pub(crate) async fn tcp(address: SocketAddr) -> ProbeOutcome {
    match TcpStream::connect(address).await {
        Ok(_) => ProbeOutcome { ready: true, detail: "it takes connections".to_owned() },
        Err(error) => no(told(&error)),
    }
}

/// Whether it answers a GET with 200 to 399.
pub(crate) async fn http(address: SocketAddr, path: &str) -> ProbeOutcome {
    let stream = match TcpStream::connect(address).await {
        Ok(stream) => stream,
        Err(error) => return no(told(&error)),
    };
    let (mut sender, connection) = match hyper::client::conn::http1::handshake(TokioIo::new(stream)).await {
        Ok(both) => both,
        Err(error) => return no(error.to_string()),
    };
    tokio::spawn(connection);
    let request = Request::get(path)
        .header("host", "localhost")
        .header("user-agent", "seaworthy-probe")
        .header("connection", "close")
        .body(Empty::<Bytes>::new());
    let request = match request {
        Ok(request) => request,
        Err(error) => return no(error.to_string()),
    };
    match sender.send_request(request).await {
        Ok(answer) => {
            let status = answer.status();
            if (200..400).contains(&status.as_u16()) {
                return ProbeOutcome { ready: true, detail: status.to_string() };
            }
            let body = Limited::new(answer.into_body(), SHOWN).collect().await;
            let body = body.map(|body| shown(&body.to_bytes())).unwrap_or_default();
            no(format!("{status} {body}").trim().to_owned())
        }
        Err(error) => no(error.to_string()),
    }
}

/// Cuts what is shown.
pub(crate) fn cut(mut detail: String) -> String {
    detail.truncate(detail.floor_char_boundary(SHOWN));
    detail
}

/// A no.
pub(crate) fn no(detail: String) -> ProbeOutcome {
    ProbeOutcome { ready: false, detail }
}

/// A no of a test that took too long, with what it had written.
pub(crate) fn unended(limit: Duration, written: &[u8]) -> ProbeOutcome {
    let late = format!("its test did not end within {} s", limit.as_secs_f64());
    let written = shown(written);
    no(if written.is_empty() { late } else { cut(format!("{late}: {written}")) })
}

/// A failed connection in a few words.
pub(crate) fn told(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        _ => error.to_string(),
    }
}

/// The beginning of an output as one line.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]);
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}
