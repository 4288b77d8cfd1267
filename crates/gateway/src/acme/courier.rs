//! Carries requests to an issuer, whose own certificate is held against known roots.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{HeaderMap, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use thiserror::Error as ThisError;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::rim;
use crate::tls::roots;

/// How long a request may take.
const REQUEST: Duration = Duration::from_secs(30);
/// The longest answer.
const MOST_BYTES: usize = 1 << 20;
const HTTPS: u16 = 443;
/// An issuer that wants to be left alone for longer is asked after this all the same.
const LONGEST_REST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Why an issuer did not answer.
#[derive(Debug, ThisError)]
pub(super) enum Lost {
    #[error("no certificates to hold the issuer against were found in `{}`", path.display())]
    NoRoots { path: PathBuf },
    #[error("`{uri}` is no address of an issuer")]
    Address { uri: String },
    #[error("`{host}` cannot be reached")]
    Unreached { host: String, source: std::io::Error },
    #[error("`{host}` did not answer within {} s", REQUEST.as_secs())]
    Late { host: String },
    #[error("`{host}` broke off")]
    Broken { host: String, source: Box<dyn std::error::Error + Send + Sync> },
}

/// Carries requests.
pub(super) struct Courier {
    tls: Arc<ClientConfig>,
    rest: Rest,
}

/// Until when an issuer that has enough of us wants to be left alone, as far as it said so.
#[derive(Debug, Clone, Default)]
pub(super) struct Rest(Arc<Mutex<Option<Timestamp>>>);

impl Rest {
    /// When it may be asked again.
    pub(super) fn until(&self) -> Option<Timestamp> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, status: StatusCode, headers: &HeaderMap, now: Timestamp) {
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
            && let Some(until) = headers.get(RETRY_AFTER).and_then(|after| until(after, now))
        {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        }
    }
}

/// A moment as `Retry-After` says it (RFC 9110, section 10.2.3): so many seconds from now, or a date.
fn until(after: &HeaderValue, now: Timestamp) -> Option<Timestamp> {
    let text = after.to_str().ok()?.trim();
    let said = match text.parse::<u32>() {
        Ok(seconds) => now.checked_add(SignedDuration::from_secs(seconds.into())).ok()?,
        Err(_) => DateTimeParser::new().parse_timestamp(text).ok()?,
    };
    Some(said.min(now.checked_add(LONGEST_REST).ok()?))
}

impl Courier {
    /// One that trusts the roots in a file, or those of the system, and tells when the issuer wants a rest.
    pub(super) fn new(roots: Option<&Path>, rest: Rest) -> Result<Self, Lost> {
        let tls = roots::trusting(roots).map_err(|path| Lost::NoRoots { path })?;
        Ok(Self { tls, rest })
    }
}

impl HttpClient for Courier {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let (tls, rest) = (self.tls.clone(), self.rest.clone());
        Box::pin(async move {
            let host = request.uri().host().unwrap_or_default().to_owned();
            let carried = timeout(REQUEST, carry(request, tls)).await;
            let answer = carried.unwrap_or_else(|_| Err(Lost::Late { host }));
            if let Ok(answer) = &answer {
                rest.hear(answer.status(), answer.headers(), rim::now());
            }
            answer.map(BytesResponse::from).map_err(|lost| Error::Other(Box::new(lost)))
        })
    }
}

async fn carry(
    mut request: Request<BodyWrapper<Bytes>>,
    tls: Arc<ClientConfig>,
) -> Result<Response<Full<Bytes>>, Lost> {
    let uri = request.uri().clone();
    let wrong = || Lost::Address { uri: uri.to_string() };
    let authority = uri.authority().filter(|_| uri.scheme_str() == Some("https")).ok_or_else(wrong)?;
    let host = authority.host().to_owned();
    let bare = host.trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(bare.clone()).map_err(|_| wrong())?;
    let unreached = |source| Lost::Unreached { host: host.clone(), source };
    let broken = |source| Lost::Broken { host: host.clone(), source };
    let port = authority.port_u16().unwrap_or(HTTPS);
    let stream = TcpStream::connect((bare.as_str(), port)).await.map_err(unreached)?;
    let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(unreached)?;
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|error| broken(error.into()))?;
    tokio::spawn(connection);
    let target = uri.path_and_query().map_or_else(|| Uri::from_static("/"), |path| Uri::from(path.clone()));
    *request.uri_mut() = target;
    if let Ok(named) = HeaderValue::from_str(authority.as_str()) {
        request.headers_mut().insert(HOST, named);
    }
    let own = concat!("seaworthy-gateway/", env!("CARGO_PKG_VERSION"));
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(own));
    let answer = sender.send_request(request).await.map_err(|error| broken(error.into()))?;
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, MOST_BYTES).collect().await.map_err(broken)?;
    Ok(Response::from_parts(parts, Full::new(body.to_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_says_when_it_may_be_asked_again() {
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        for (said, expected) in [
            ("7200", Some("2026-11-21T12:00:00Z")),
            ("Sat, 21 Nov 2026 11:30:00 GMT", Some("2026-11-21T11:30:00Z")),
            // No longer than a week, whatever is said.
            ("4294967295", Some("2026-11-28T10:00:00Z")),
            ("soon", None),
            ("-5", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(said))]);
            let rest = Rest::default();
            rest.hear(StatusCode::OK, &headers, now);
            assert_eq!(rest.until(), None, "an answer is no refusal");
            rest.hear(StatusCode::TOO_MANY_REQUESTS, &headers, now);
            assert_eq!(rest.until(), expected.map(|text| text.parse().unwrap()), "{said}");
        }
    }
}
