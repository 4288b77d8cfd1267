//! Who gets the next request of a route.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::backend::Backend;
use crate::balance::{self, Asker, Candidate, hash};
use crate::route::Balance;

use super::LiveRoute;

impl LiveRoute {
    /// The next backend that is well, can take one more, and is not among those tried.
    pub(crate) fn choose(&self, tried: &[Arc<Backend>], asker: Asker<'_>) -> Option<Arc<Backend>> {
        // Where most would be left out, the fault lies elsewhere, and those that are left would be overrun.
        let in_use = self.backends.iter().filter(|backend| !backend.is_set_aside()).count();
        let at_hand =
            self.backends.iter().filter(|backend| backend.is_well() && !backend.is_left_out()).count();
        let heeds = at_hand * 2 >= in_use;
        self.choose_where(tried, asker, |backend| {
            backend.is_well() && !backend.is_full() && !(heeds && backend.is_left_out())
        })
    }

    /// The next backend that is not among those tried, well or not.
    pub(crate) fn choose_any(&self, tried: &[Arc<Backend>], asker: Asker<'_>) -> Option<Arc<Backend>> {
        self.choose_where(tried, asker, |backend| !backend.is_set_aside() && !backend.is_full())
    }

    /// Whether requests come one after the other to its backends, since those take only so many at a time.
    pub(crate) fn is_crowded(&self) -> bool {
        self.route.balancing.max_in_flight > 0 && self.room.waiting() > 0
    }

    fn choose_where(
        &self,
        tried: &[Arc<Backend>],
        asker: Asker<'_>,
        fits: impl Fn(&Backend) -> bool,
    ) -> Option<Arc<Backend>> {
        let balancing = &self.route.balancing;
        let candidate = |(index, backend): (usize, &Arc<Backend>)| Candidate {
            index,
            weight: f64::from(balancing.weights.get(&backend.id).copied().unwrap_or(1)),
            share: backend.share(),
            in_flight: backend.in_flight(),
            id: hash(backend.id.as_bytes()),
        };
        let all = self.backends.iter().enumerate();
        let open: Vec<Candidate> = all
            .filter(|(_, backend)| fits(backend) && !tried.iter().any(|other| Arc::ptr_eq(other, backend)))
            .map(candidate)
            .collect();
        let key = if self.route.balance == Balance::Hash { asker.key(&balancing.hash_by) } else { 0 };
        if open.is_empty() {
            return None;
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let chosen = balance::choose(self.route.balance, &open, turn, key)?;
        self.backends.get(chosen).cloned()
    }
}
