//! What to send, how fast, and within which bounds.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};

use super::{Failure, Way};

/// Past this one thread on a small machine measures itself more than the server.
const RATE_AT_MOST: u32 = 5_000;
/// A request that takes longer has failed for any user.
const TIMEOUT_AT_MOST: Duration = Duration::from_secs(60);
/// A load is part of a test or a demo, which end.
const DURATION_AT_MOST: Duration = Duration::from_secs(3_600);
/// Open files of one process are commonly limited to 1024.
const CONNECTIONS_AT_MOST: usize = 512;
/// `{n}` in a path or body counts up to this and begins again, so that a run does not fill a disk.
pub(super) const NUMBERS: u64 = 100;

/// Why a load cannot run, or gave no numbers.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The target is another machine.
    #[error("`{0}` is not a loopback address; load is sent to this machine only.")]
    NotLoopback(SocketAddr),
    /// A number is zero or past its bound.
    #[error("`{name}` must be between {least} and {most}.")]
    OutOfBounds {
        /// The setting.
        name: &'static str,
        /// The least it may be, with its unit.
        least: &'static str,
        /// The most it may be, with its unit.
        most: String,
    },
    /// There is nothing to send.
    #[error("no request is given to send.")]
    NothingToSend,
    /// A path, header or weight cannot be sent.
    #[error(
        "the request for `{path}` cannot be sent; it needs a path that begins with `/`, plain headers, a weight and an expected status."
    )]
    Shape {
        /// Its path.
        path: String,
    },
    /// More phases than a report should have.
    #[error("more than {0} phases.")]
    TooManyPhases(usize),
    /// No thread or runtime could be made.
    #[error("the load generator could not be started.")]
    Runtime {
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A single request got no answer of use.
    #[error("GET `{path}`: {failure}.")]
    NoAnswer {
        /// What was asked for.
        path: String,
        /// What came instead.
        failure: Failure,
    },
    /// The sending thread broke down.
    #[error("the load generator broke down; its numbers are not complete.")]
    Crashed,
}

/// What to send, how fast, and within which bounds.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to; a loopback address.
    pub target: SocketAddr,
    /// The `Host` header; the target's address when absent.
    pub host: Option<String>,
    /// Requests per second, steady.
    pub rate: u32,
    /// Connections that are kept open and used in turn.
    pub connections: usize,
    /// Each request of that number (20: one in twenty) comes by a new connection of its own; 0 is none.
    pub fresh_every: u64,
    /// How long one request may take before it has failed.
    pub timeout: Duration,
    /// It ends after so many requests …
    pub max_requests: u64,
    /// … or after so long.
    pub max_duration: Duration,
    /// Which way they go.
    pub way: Way,
    /// The mix.
    pub shapes: Vec<Shape>,
}

impl Settings {
    /// 300 requests per second by 16 connections, one in twenty by a new one, 5 s for each, half an hour at most.
    pub fn new(target: SocketAddr, shapes: Vec<Shape>) -> Self {
        Self {
            target,
            host: None,
            rate: 300,
            connections: 16,
            fresh_every: 20,
            timeout: Duration::from_secs(5),
            max_requests: 1_000_000,
            max_duration: Duration::from_secs(1_800),
            way: Way::Plain,
            shapes,
        }
    }

    pub(super) fn check(&self) -> Result<(), LoadError> {
        if !self.target.ip().is_loopback() {
            return Err(LoadError::NotLoopback(self.target));
        }
        let bounds = [
            ("rate", (1..=RATE_AT_MOST).contains(&self.rate), "1/s", format!("{RATE_AT_MOST}/s")),
            (
                "connections",
                (1..=CONNECTIONS_AT_MOST).contains(&self.connections),
                "1",
                CONNECTIONS_AT_MOST.to_string(),
            ),
            ("timeout", is_within(self.timeout, TIMEOUT_AT_MOST), "1 ms", format!("{TIMEOUT_AT_MOST:?}")),
            (
                "max_duration",
                is_within(self.max_duration, DURATION_AT_MOST),
                "1 ms",
                format!("{DURATION_AT_MOST:?}"),
            ),
            ("max_requests", self.max_requests > 0, "1", u64::MAX.to_string()),
        ];
        for (name, holds, least, most) in bounds {
            if !holds {
                return Err(LoadError::OutOfBounds { name, least, most });
            }
        }
        if self.shapes.is_empty() {
            return Err(LoadError::NothingToSend);
        }
        for shape in &self.shapes {
            let whole = shape.weight > 0
                && !shape.expected.is_empty()
                && shape.path.starts_with('/')
                && !shape.broken;
            if !whole || self.request(shape, 0, false).is_none() {
                return Err(LoadError::Shape { path: shape.path.clone() });
            }
        }
        Ok(())
    }

    /// Request number `index`; `None` only for a shape that [`Settings::check`] refuses.
    pub(super) fn request(&self, shape: &Shape, index: u64, fresh: bool) -> Option<Request<Full<Bytes>>> {
        let number = (index % NUMBERS).to_string();
        let host = self.host.clone().unwrap_or_else(|| self.target.to_string());
        let mut request = Request::builder()
            .method(&shape.method)
            .uri(shape.path.replace("{n}", &number))
            .header(HOST, host);
        if let Some(value) = &shape.authorization {
            request = request.header(AUTHORIZATION, value);
        }
        if fresh {
            request = request.header(CONNECTION, "close");
        }
        let body = match &shape.body {
            Some(text) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Bytes::from(text.replace("{n}", &number))
            }
            None => Bytes::new(),
        };
        request.body(Full::new(body)).ok()
    }
}

fn is_within(duration: Duration, most: Duration) -> bool {
    (Duration::from_millis(1)..=most).contains(&duration)
}

/// One kind of request in the mix.
#[derive(Debug, Clone)]
pub struct Shape {
    method: Method,
    path: String,
    body: Option<String>,
    authorization: Option<HeaderValue>,
    pub(super) weight: u32,
    pub(super) expected: Vec<u16>,
    broken: bool,
}

impl Shape {
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// A GET that expects 200. `{n}` in the path becomes a number from 0 to 99.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            body: None,
            authorization: None,
            weight: 1,
            expected: vec![200],
            broken: false,
        }
    }

    /// A PUT of a JSON body that expects 200, 201 or 204. `{n}` in path and body becomes a number from 0 to 99.
    pub fn put(path: impl Into<String>, body: impl Into<String>) -> Self {
        let expected = vec![200, 201, 204];
        Self { method: Method::PUT, body: Some(body.into()), expected, ..Self::get(path) }
    }

    /// Sends a bearer token. It does not show in debug output.
    #[must_use]
    pub fn bearer(mut self, token: &str) -> Self {
        match HeaderValue::from_str(&format!("Bearer {token}")) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.authorization = Some(value);
            }
            Err(_) => self.broken = true,
        }
        self
    }

    /// How often it is sent, in proportion to the weights of the others.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// The statuses that count as a success; any other is a failure.
    #[must_use]
    pub fn expects(mut self, statuses: &[u16]) -> Self {
        self.expected = statuses.to_vec();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(target: &str) -> Settings {
        Settings::new(target.parse().unwrap(), vec![Shape::get("/")])
    }

    #[test]
    fn another_machine_is_refused() {
        assert!(settings("127.0.0.1:80").check().is_ok());
        assert!(settings("127.9.9.9:80").check().is_ok());
        assert!(settings("[::1]:80").check().is_ok());
        for other in ["192.0.2.1:80", "0.0.0.0:80", "[::]:80", "[2001:db8::1]:80"] {
            assert!(matches!(settings(other).check(), Err(LoadError::NotLoopback(_))), "{other}");
        }
    }

    #[test]
    fn bounds_hold() {
        let broken: [fn(&mut Settings); 8] = [
            |s| s.rate = 0,
            |s| s.rate = RATE_AT_MOST + 1,
            |s| s.connections = 0,
            |s| s.timeout = Duration::ZERO,
            |s| s.max_duration = DURATION_AT_MOST + Duration::from_secs(1),
            |s| s.max_requests = 0,
            |s| s.shapes.clear(),
            |s| s.shapes = vec![Shape::get("/").bearer("two\nlines")],
        ];
        for (index, change) in broken.iter().enumerate() {
            let mut settings = settings("127.0.0.1:80");
            change(&mut settings);
            assert!(settings.check().is_err(), "case {index}");
        }
    }

    #[test]
    fn a_token_never_shows() {
        let shape = Shape::put("/a/{n}", "{n}").bearer("very-secret-token");
        assert!(!format!("{shape:?}").contains("very-secret-token"));
        let request = settings("127.0.0.1:80").request(&shape, 207, true).unwrap();
        assert_eq!(request.uri(), "/a/7");
        assert_eq!(request.headers()["authorization"], "Bearer very-secret-token");
        assert_eq!(request.headers()["connection"], "close");
    }
}
