//! Changes of headers, made ready once.

use std::str::FromStr;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use crate::route::Edits;

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
        let pair = |(name, value): (&String, &String)| {
            Some((HeaderName::from_str(name).ok()?, HeaderValue::from_str(value).ok()?))
        };
        let remove: Vec<HeaderName> =
            edits.remove.iter().filter_map(|name| HeaderName::from_str(name).ok()).collect();
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
