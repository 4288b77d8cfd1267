//! What is told of certificates.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// A certificate, as it is told.
#[derive(Debug)]
pub(crate) struct CertificateLine {
    pub(crate) host: String,
    pub(crate) source: &'static str,
    /// Unix seconds.
    pub(crate) until: i64,
    /// The last try to have it or to renew it failed.
    pub(crate) problem: bool,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    host: String,
    source: &'static str,
}

/// How long certificates hold, and whether they can be had.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    until: Family<Labels, Gauge>,
    problem: Family<Labels, Gauge>,
}

impl Certificates {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "certificate_not_after_seconds",
            "When a certificate expires, in Unix seconds",
            self.until.clone(),
        );
        registry.register(
            "certificate_problem",
            "Whether the last try to have or renew a certificate failed",
            self.problem.clone(),
        );
    }

    /// Those that are served now, and no others.
    pub(super) fn tell(&self, lines: impl Iterator<Item = CertificateLine>) {
        self.until.clear();
        self.problem.clear();
        for CertificateLine { host, source, until, problem } in lines {
            let labels = Labels { host, source };
            self.until.get_or_create(&labels).set(until);
            self.problem.get_or_create(&labels).set(problem.into());
        }
    }
}
