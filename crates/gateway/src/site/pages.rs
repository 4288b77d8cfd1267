//! Pages of the user's own in place of answers without a body.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap};

use crate::route::{ANY, MAINTENANCE};

/// What calls of gRPC are known by; they read no pages.
const GRPC: &[u8] = b"application/grpc";

/// Whether who asks can show a page.
pub(super) fn is_shown(asked: &HeaderMap) -> bool {
    let grpc = asked.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(GRPC));
    let mut kinds = asked.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    let any = kinds.peek().is_none();
    !grpc && (any || kinds.flat_map(|value| value.split(',')).any(is_page))
}

fn is_page(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    ["text/html", "text/*", "*/*", "application/xhtml+xml"].iter().any(|page| kind.eq_ignore_ascii_case(page))
}

/// The pages, ready to be sent.
#[derive(Debug, Default)]
pub(super) struct Pages(BTreeMap<String, Bytes>);

impl Pages {
    pub(super) fn new(told: &BTreeMap<String, String>) -> Self {
        Self(told.iter().map(|(which, text)| (which.clone(), Bytes::from(text.clone()))).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The page of an answer.
    pub(super) fn of(&self, status: StatusCode) -> Option<Bytes> {
        let error = status.is_client_error() || status.is_server_error();
        self.0.get(status.as_str()).or_else(|| self.0.get(ANY).filter(|_| error)).cloned()
    }

    /// That of a project that is being worked on.
    pub(super) fn maintenance(&self) -> Option<Bytes> {
        self.0.get(MAINTENANCE).cloned().or_else(|| self.of(StatusCode::SERVICE_UNAVAILABLE))
    }
}
