//! The connection to a collector, and what it says to a batch.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::rt::{Read, Write};
use hyper::{HeaderMap, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde_json::Value;
use thiserror::Error as ThisError;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::headers;
use crate::error::GatewayError;
use crate::route::{RouteSet, Traces};
use crate::tls::roots;

/// The path below the address of a collector (OTLP/HTTP).
const TRACES: &str = "/v1/traces";
/// The ports where an address names none.
const HTTP: u16 = 80;
const HTTPS: u16 = 443;
/// How long a collector may take for a batch.
const TAKE: Duration = Duration::from_secs(5);
/// The longest answer that is read.
const MOST_BYTES: usize = 64 << 10;
/// A collector that wants to be left alone for longer is asked after this all the same.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why a batch was not taken.
#[derive(Debug, ThisError)]
pub(crate) enum Lost {
    #[error("`{endpoint}` is no address of a collector")]
    Address { endpoint: String },
    #[error("no certificates to hold the collector against were found in `{}`", path.display())]
    NoRoots { path: PathBuf },
    #[error("the headers for the collector cannot be taken from `{}`", path.display())]
    Headers { path: PathBuf, source: headers::HeadersError },
    #[error("the collector cannot be reached")]
    Unreached { source: std::io::Error },
    #[error("the collector broke off")]
    Broken { source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the collector did not answer within {} s", TAKE.as_secs())]
    Late,
    #[error("the collector answered {status}")]
    Refused { status: StatusCode, after: Option<Duration> },
}

impl Lost {
    /// What went wrong, and why.
    pub(super) fn told(&self) -> String {
        let (mut told, mut source) = (self.to_string(), self.source());
        while let Some(cause) = source {
            told = format!("{told}: {cause}");
            source = cause.source();
        }
        told
    }

    /// How long to wait before the same is sent again, where that may help (OTLP, "Failures").
    pub(super) fn again(&self, pause: Duration) -> Option<Duration> {
        match self {
            Self::Unreached { .. } | Self::Broken { .. } | Self::Late => Some(pause),
            Self::Refused { status, after } => {
                let passes = matches!(status.as_u16(), 429 | 502 | 503 | 504);
                passes.then(|| after.unwrap_or(pause).min(LONGEST_PAUSE))
            }
            Self::Address { .. } | Self::NoRoots { .. } | Self::Headers { .. } => None,
        }
    }
}

/// The way of batches to one collector; the connection is kept.
pub(super) struct Post {
    collector: Traces,
    tls: Option<Arc<ClientConfig>>,
    kept: Option<SendRequest<Full<Bytes>>>,
}

impl Post {
    pub(super) fn to(collector: Traces) -> Self {
        Self { collector, tls: None, kept: None }
    }

    /// Sends a batch once; how many of its spans the collector refused.
    pub(super) async fn send(&mut self, text: &Bytes) -> Result<u64, Lost> {
        timeout(TAKE, self.post(text)).await.unwrap_or(Err(Lost::Late))
    }

    async fn post(&mut self, text: &Bytes) -> Result<u64, Lost> {
        let uri = self.address()?;
        let own = self.headers()?;
        let request = || {
            let mut request = Request::new(Full::from(text.clone()));
            *request.method_mut() = hyper::Method::POST;
            *request.headers_mut() = own.clone();
            *request.uri_mut() =
                format!("{}{TRACES}", uri.path().trim_end_matches('/')).parse().unwrap_or_default();
            request
        };
        let kept = self.kept.take().filter(|kept| !kept.is_closed());
        let was_kept = kept.is_some();
        let mut sender = match kept {
            Some(kept) => kept,
            None => self.connect(&uri).await?,
        };
        let mut answered = sender.send_request(request()).await;
        if was_kept && answered.is_err() {
            // The collector may have closed it just now.
            sender = self.connect(&uri).await?;
            answered = sender.send_request(request()).await;
        }
        let (head, body) = answered.map_err(|source| Lost::Broken { source: source.into() })?.into_parts();
        let said = Limited::new(body, MOST_BYTES).collect().await;
        let said = said.map_err(|source| Lost::Broken { source })?.to_bytes();
        self.kept = Some(sender);
        if head.status.is_success() {
            return Ok(refused(&said));
        }
        let after = head.headers.get(RETRY_AFTER).and_then(|after| after.to_str().ok()?.trim().parse().ok());
        Err(Lost::Refused { status: head.status, after: after.map(Duration::from_secs) })
    }

    fn address(&self) -> Result<Uri, Lost> {
        let endpoint = &self.collector.endpoint;
        let uri: Option<Uri> = endpoint.parse().ok().filter(|uri: &Uri| uri.authority().is_some());
        uri.ok_or_else(|| Lost::Address { endpoint: endpoint.clone() })
    }

    /// What each batch is sent with. The file is read each time, as keys are changed.
    fn headers(&self) -> Result<HeaderMap, Lost> {
        let mut own = match &self.collector.headers {
            Some(path) => {
                headers::read(path).map_err(|source| Lost::Headers { path: path.clone(), source })?
            }
            None => HeaderMap::new(),
        };
        let uri = self.address()?;
        if let Some(host) = uri.authority().and_then(|authority| authority.as_str().parse().ok()) {
            own.insert(HOST, host);
        }
        own.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
        let program = concat!("seaworthy-gateway/", env!("CARGO_PKG_VERSION"));
        own.insert(USER_AGENT, hyper::header::HeaderValue::from_static(program));
        Ok(own)
    }

    async fn connect(&mut self, uri: &Uri) -> Result<SendRequest<Full<Bytes>>, Lost> {
        let wrong = || Lost::Address { endpoint: self.collector.endpoint.clone() };
        let authority = uri.authority().ok_or_else(wrong)?;
        let (host, port) = (authority.host().trim_matches(['[', ']']).to_owned(), authority.port_u16());
        let unreached = |source| Lost::Unreached { source };
        if uri.scheme_str() != Some("https") {
            let stream = TcpStream::connect((host.as_str(), port.unwrap_or(HTTP))).await;
            return shake(TokioIo::new(stream.map_err(unreached)?)).await;
        }
        let name = ServerName::try_from(host.clone()).map_err(|_| wrong())?;
        let tls = self.tls()?;
        let stream = TcpStream::connect((host.as_str(), port.unwrap_or(HTTPS))).await.map_err(unreached)?;
        match TlsConnector::from(tls).connect(name, stream).await {
            Ok(stream) => shake(TokioIo::new(stream)).await,
            Err(source) => {
                // The file of roots may be mended meanwhile: the next try reads it again.
                self.tls = None;
                Err(unreached(source))
            }
        }
    }

    /// Whom it trusts, made once for as long as that works.
    fn tls(&mut self) -> Result<Arc<ClientConfig>, Lost> {
        if let Some(tls) = &self.tls {
            return Ok(tls.clone());
        }
        let made = roots::trusting(self.collector.roots.as_deref());
        let tls = made.map_err(|path| Lost::NoRoots { path })?;
        Ok(self.tls.insert(tls).clone())
    }
}

async fn shake(stream: impl Read + Write + Unpin + Send + 'static) -> Result<SendRequest<Full<Bytes>>, Lost> {
    let shaken = http1::handshake(stream).await;
    let (sender, connection) = shaken.map_err(|source| Lost::Broken { source: source.into() })?;
    tokio::spawn(connection);
    Ok(sender)
}

/// How many spans a collector refused of a batch that it took otherwise (OTLP, "Partial Success").
fn refused(said: &[u8]) -> u64 {
    let said: Value = serde_json::from_slice(said).unwrap_or_default();
    let count = &said["partialSuccess"]["rejectedSpans"];
    count.as_u64().or_else(|| count.as_str()?.parse().ok()).unwrap_or(0)
}

/// Whether what the routes of a set say of their collectors can be held, before they are served.
pub(crate) fn check(set: &RouteSet) -> Result<(), GatewayError> {
    for route in &set.routes {
        let Some(collector) = &route.traces else { continue };
        let mut post = Post::to(collector.clone());
        let is_secure = post.address().is_ok_and(|uri| uri.scheme_str() == Some("https"));
        let secure = if is_secure { post.tls().map(drop) } else { Ok(()) };
        let held = secure.and_then(|()| post.headers().map(drop));
        held.map_err(|lost| GatewayError::Invalid {
            reason: format!("route `{}`: {}", route.name, lost.told()),
        })?;
    }
    Ok(())
}
