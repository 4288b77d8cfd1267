//! Changes of headers, made ready once.

use std::str::FromStr;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use crate::route::Edits;

/// What says how long a message is and how long its connection lasts is each hop's own matter: changed by hand, it would only
/// be a lie (RFC 9110, section 7.6.1; RFC 9112, section 6).
const FRAMING: [&str; 9] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
];

/// What browsers heed, where nobody else says it.
const SECURE: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "SAMEORIGIN"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
];

/// Headers that go, are set, or come beside others.
#[derive(Debug, Default)]
pub(super) struct Changes {
    remove: Vec<HeaderName>,
    set: Vec<(HeaderName, HeaderValue)>,
    add: Vec<(HeaderName, HeaderValue)>,
    /// Set where they are not there.
    default: Vec<(HeaderName, HeaderValue)>,
}

impl Changes {
    /// Of a set that was held to be free of contradictions. What is removed is no default either.
    pub(super) fn of(edits: &Edits, secure: bool) -> Self {
        let named =
            |name: &String| HeaderName::from_str(name).ok().filter(|name| !FRAMING.contains(&name.as_str()));
        let pair =
            |(name, value): (&String, &String)| Some((named(name)?, HeaderValue::from_str(value).ok()?));
        let remove: Vec<HeaderName> = edits.remove.iter().filter_map(named).collect();
        let default = SECURE
            .iter()
            .filter(|_| secure)
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .filter(|(name, _)| !remove.contains(name))
            .collect();
        Self {
            remove,
            set: edits.set.iter().filter_map(pair).collect(),
            add: edits.add.iter().filter_map(pair).collect(),
            default,
        }
    }

    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        for name in &self.remove {
            headers.remove(name);
        }
        for (name, value) in &self.set {
            headers.insert(name, value.clone());
        }
        for (name, value) in &self.add {
            headers.append(name, value.clone());
        }
        for (name, value) in &self.default {
            headers.entry(name).or_insert_with(|| value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_frames_a_message_stays_as_it_is() {
        let texts = [("Content-Length", "5"), ("Transfer-Encoding", "chunked"), ("X-Team", "shop")];
        let set = texts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let edits = Edits { set, remove: vec!["Connection".to_owned()], ..Edits::default() };
        let mut headers = HeaderMap::new();
        headers.insert("content-length", HeaderValue::from_static("70"));
        headers.insert("connection", HeaderValue::from_static("close"));
        Changes::of(&edits, false).apply(&mut headers);
        assert_eq!(headers["content-length"], "70");
        assert_eq!(headers["connection"], "close");
        assert_eq!(headers["x-team"], "shop");
        assert!(!headers.contains_key("transfer-encoding"));
    }
}
