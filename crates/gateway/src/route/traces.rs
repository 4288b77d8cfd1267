//! Where spans of a route's requests are told.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A collector of spans that speaks OTLP over HTTP, and what it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traces {
    /// Its address, such as `http://127.0.0.1:4318`, without the path that OTLP adds.
    pub endpoint: String,
    /// Of a hundred traces that begin here, how many are told. Those that began elsewhere are told if that wished it.
    pub sample_percent: u32,
    /// The name of the service that the spans are of; `None` is the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    /// A file with headers that the collector wants, such as a key: only where it lies travels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<PathBuf>,
    /// Certificates that the collector's own is held against, instead of those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roots: Option<PathBuf>,
}

impl Traces {
    pub(super) fn contradiction(&self) -> Option<String> {
        let uri: Option<hyper::Uri> = self.endpoint.parse().ok();
        let fits = uri.is_some_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.authority().is_some_and(|authority| !authority.host().is_empty())
        });
        if !fits {
            return Some("its collector of spans has no address of HTTP".to_owned());
        }
        (self.sample_percent > 100).then(|| "more than all traces are to be told".to_owned())
    }
}
