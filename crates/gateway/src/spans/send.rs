//! One batch on its way to a collector, over a connection of its own.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The path below the address of a collector (OTLP/HTTP).
const TRACES: &str = "/v1/traces";
/// The port of HTTP, where an address names none.
const HTTP: u16 = 80;
/// The longest answer that is read.
const MOST_BYTES: usize = 64 << 10;

/// Whether a collector took it within that time.
pub(super) async fn send(endpoint: &str, text: String, limit: Duration) -> bool {
    timeout(limit, post(endpoint, text)).await.unwrap_or(None).is_some()
}

async fn post(endpoint: &str, text: String) -> Option<()> {
    let uri: Uri = endpoint.parse().ok()?;
    let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"))?;
    let host = authority.host().trim_matches(['[', ']']).to_owned();
    let stream = TcpStream::connect((host.as_str(), authority.port_u16().unwrap_or(HTTP))).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let request = Request::post(format!("{}{TRACES}", uri.path().trim_end_matches('/')))
        .header(HOST, authority.as_str())
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("seaworthy-gateway/", env!("CARGO_PKG_VERSION")))
        .body(Full::<Bytes>::from(text));
    let answer = sender.send_request(request.ok()?).await.ok()?;
    let taken = answer.status().is_success();
    Limited::new(answer.into_body(), MOST_BYTES).collect().await.ok()?;
    taken.then_some(())
}
