//! Where spans of a route's requests are told.

use serde::{Deserialize, Serialize};

/// A collector of spans that speaks OTLP over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traces {
    /// Its address, such as `http://127.0.0.1:4318`.
    pub endpoint: String,
    /// Of a hundred traces that begin here, how many are told. Those that began elsewhere are told if that wished it.
    pub sample_percent: u32,
}

impl Traces {
    pub(super) fn contradiction(&self) -> Option<String> {
        let uri: Option<hyper::Uri> = self.endpoint.parse().ok();
        let fits = uri.is_some_and(|uri| uri.scheme_str() == Some("http") && uri.authority().is_some());
        if !fits {
            return Some("its collector of spans has no address that begins with `http://`".to_owned());
        }
        (self.sample_percent > 100).then(|| "more than all traces are to be told".to_owned())
    }
}
