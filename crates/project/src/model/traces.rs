//! `traces`: where spans of requests are told, said at a route or for all of them.

/// `traces`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces {
    /// `endpoint`: the address of a collector that speaks OTLP over HTTP; `None` is `off`.
    pub endpoint: Option<String>,
    /// `sample`: of a hundred traces that begin here, how many are told.
    pub sample_percent: Option<u32>,
}
