//! How a client's connection begins: with TLS, with HTTP/2 as agreed before, or with HTTP/1.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::server::Acceptor;

use super::Live;
use super::clients::Shown;
use crate::acme::challenges::PROTOCOL;
use crate::stream::ClientStream;
use crate::worker::Gateway;

/// How long a client may take to begin, its TLS handshake included.
const BEGIN: Duration = Duration::from_secs(30);
/// How often it is looked whether a client that has begun with the first bytes of a preface goes on: less and less.
const LOOK: Duration = Duration::from_millis(5);
const LONGEST_LOOK: Duration = Duration::from_millis(500);
/// What HTTP/2 begins with where both sides know of it (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The first byte of TLS.
const HANDSHAKE: u8 = 0x16;
/// A fatal alert: no such name is known here (RFC 6066, section 3).
const UNKNOWN_NAME: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 112];

/// How requests come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// For everybody on the way to read.
    Plain,
    /// Over TLS.
    Tls,
    /// Over TLS with a certificate that stands in for another.
    StandIn,
}

/// A connection that has begun.
pub(crate) struct Arrival {
    pub(crate) stream: ClientStream,
    pub(crate) via: Via,
    pub(crate) http2: bool,
    /// What the client showed of itself, where it was asked.
    pub(crate) shown: Option<Arc<Shown>>,
}

impl Via {
    /// The scheme of its addresses.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Plain => "http",
            Self::Tls | Self::StandIn => "https",
        }
    }
}

/// What a client begins with; nothing when it does not, or in a way that is not taken.
pub(crate) async fn arrive(stream: TcpStream, listen: SocketAddr, gateway: &Gateway) -> Option<Arrival> {
    timeout(BEGIN, begin(stream, listen, gateway)).await.ok().flatten()
}

async fn begin(stream: TcpStream, listen: SocketAddr, gateway: &Gateway) -> Option<Arrival> {
    let mut first = [0; PREFACE.len()];
    let mut pause = LOOK;
    loop {
        let length = stream.peek(&mut first).await.ok().filter(|length| *length > 0)?;
        let begun = first.get(..length)?;
        if begun[0] == HANDSHAKE && gateway.certificates.speaks(listen) {
            // On the heap: a client that has not begun needs no room for it.
            return Box::pin(shake_hands(stream, listen, gateway)).await;
        }
        let http2 = begun == PREFACE;
        let ended = stream.ready(Interest::READABLE).await.ok()?.is_read_closed();
        if http2 || ended || !PREFACE.starts_with(begun) {
            return Some(Arrival {
                stream: ClientStream::Plain(stream),
                via: Via::Plain,
                http2,
                shown: None,
            });
        }
        // What is looked at stays there, so that nothing tells when more of it comes.
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_LOOK);
    }
}

async fn shake_hands(stream: TcpStream, listen: SocketAddr, gateway: &Gateway) -> Option<Arrival> {
    let local = stream.local_addr().ok()?;
    let mut start = LazyConfigAcceptor::new(Acceptor::default(), stream).await.ok()?;
    let hello = start.client_hello();
    if hello.alpn().is_some_and(|mut offered| offered.any(|name| name == PROTOCOL)) {
        let challenge = gateway.certificates.challenges.handshake(hello.server_name());
        // The handshake is the answer.
        let _ = start.into_stream(challenge?).await;
        return None;
    }
    let live = gateway.certificates.find(listen, start.client_hello().server_name(), local);
    let Some(live) = live else {
        let _ = start.io.write_all(&UNKNOWN_NAME).await;
        return None;
    };
    let Live { config, stands_in, issuers } = &*live;
    let stream = start.into_stream(config.clone()).await.ok()?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let via = if *stands_in { Via::StandIn } else { Via::Tls };
    let chain = || stream.get_ref().1.peer_certificates();
    let shown = issuers.clone().map(|issuers| Arc::new(Shown::of(issuers, chain())));
    Some(Arrival { stream: ClientStream::Tls(Box::new(stream)), via, http2, shown })
}
