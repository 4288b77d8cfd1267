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

/// Stands in a page for what the user says of the work.
pub(crate) const MESSAGE: &str = "{{message}}";

/// The pages, ready to be sent.
#[derive(Debug, Default)]
pub(super) struct Pages(BTreeMap<String, Page>);

#[derive(Debug)]
struct Page {
    /// As the user wrote it.
    written: Bytes,
    /// For answers that have no message.
    without_message: Bytes,
}

impl Pages {
    pub(super) fn new(told: &BTreeMap<String, String>) -> Self {
        let page = |text: &String| {
            let written = Bytes::from(text.clone());
            let without_message =
                if text.contains(MESSAGE) { text.replace(MESSAGE, "").into() } else { written.clone() };
            Page { written, without_message }
        };
        Self(told.iter().map(|(which, text)| (which.clone(), page(text))).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The page of an answer.
    pub(super) fn of(&self, status: StatusCode) -> Option<Bytes> {
        self.find(status).map(|page| page.without_message.clone())
    }

    /// That of a project that is being worked on, with the place of the message still in it.
    pub(super) fn maintenance(&self) -> Option<Bytes> {
        let page = self.0.get(MAINTENANCE).or_else(|| self.find(StatusCode::SERVICE_UNAVAILABLE));
        page.map(|page| page.written.clone())
    }

    fn find(&self, status: StatusCode) -> Option<&Page> {
        let error = status.is_client_error() || status.is_server_error();
        self.0.get(status.as_str()).or_else(|| self.0.get(ANY).filter(|_| error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stands_only_where_there_is_one() {
        let pages = Pages::new(&BTreeMap::from([("503".to_owned(), "<p>{{message}}Later.</p>".to_owned())]));
        assert_eq!(pages.of(StatusCode::SERVICE_UNAVAILABLE).unwrap(), "<p>Later.</p>");
        assert_eq!(pages.maintenance().unwrap(), "<p>{{message}}Later.</p>");
        assert_eq!(pages.of(StatusCode::NOT_FOUND), None);
    }
}
