//! How many spans collectors took.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    outcome: &'static str,
}

/// Spans of requests, counted by what became of them.
#[derive(Debug)]
pub(crate) struct Spans {
    family: Family<Labels, Counter>,
    sent: Counter,
    dropped: Counter,
}

impl Default for Spans {
    fn default() -> Self {
        let family = Family::<Labels, Counter>::default();
        let of = |outcome| family.get_or_create(&Labels { outcome }).clone();
        let (sent, dropped) = (of("sent"), of("dropped"));
        Self { family, sent, dropped }
    }
}

impl Spans {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Spans of requests, by whether their collector took them";
        registry.register("spans", help, self.family.clone());
    }

    /// So many requests' spans were taken by their collector.
    pub(crate) fn sent(&self, count: u64) {
        self.sent.inc_by(count);
    }

    /// So many were left out.
    pub(crate) fn dropped(&self, count: u64) {
        self.dropped.inc_by(count);
    }
}
