//! `traces`: where spans of requests are told, said at a route or for all of them.

use std::path::PathBuf;

/// `traces`, as far as it was said; what is absent is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traces {
    /// `endpoint`, or the only word there is.
    pub endpoint: Option<Endpoint>,
    /// `sample`: of a hundred traces that begin here, how many are told.
    pub sample_percent: Option<u32>,
    /// `service_name`: what the spans are said to be of.
    pub service_name: Option<String>,
    /// `headers_file`: headers that the collector wants.
    pub headers_file: Option<PathBuf>,
    /// `roots`: what the collector's own certificate is held against, instead of what the system trusts.
    pub roots: Option<PathBuf>,
}

/// Whom spans are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `off`.
    Nobody,
    /// The address of a collector that speaks OTLP over HTTP.
    Collector(String),
}

impl Traces {
    /// What holds where `self` is said at a route and `default` for all of them.
    #[must_use]
    pub fn over(&self, default: &Self) -> Self {
        let said = Self {
            sample_percent: self.sample_percent.or(default.sample_percent),
            service_name: self.service_name.clone().or_else(|| default.service_name.clone()),
            ..self.clone()
        };
        // What a collector wants is said with its address: a key is for nobody else.
        match self.endpoint {
            Some(_) => said,
            None => Self {
                endpoint: default.endpoint.clone(),
                headers_file: self.headers_file.clone().or_else(|| default.headers_file.clone()),
                roots: self.roots.clone().or_else(|| default.roots.clone()),
                ..said
            },
        }
    }
}
