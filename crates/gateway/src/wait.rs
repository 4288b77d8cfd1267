//! Waiting for a backend: so many requests at most, each for so long at most, and none longer than it must.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::metrics::Metrics;
use crate::table::LiveRoute;

/// Between two looks of one that waits and is told nothing: a backend that could not be reached may be there again before
/// anybody asks it whether it is well.
const LOOK: Duration = Duration::from_millis(100);

/// How a wait ended, for the metrics: with a backend, at its time's end, with no place to wait, or with the client gone.
pub(crate) const SERVED: &str = "served";
const LATE: &str = "late";
const FULL: &str = "full";
const GONE: &str = "gone";

/// Where requests of one route wait. Outlives the set that the route belongs to.
#[derive(Debug, Default)]
pub(crate) struct WaitingRoom {
    waiting: AtomicU32,
    /// Told when backends come, or are well again: then all look.
    changed: watch::Sender<()>,
    /// Told when a backend can take one more: then one looks, the longest there first.
    freed: Notify,
}

impl WaitingRoom {
    /// How many wait.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Has all of them look again.
    pub(crate) fn wake(&self) {
        self.changed.send_replace(());
    }

    /// Has the one that waits longest look again: a backend can take one more.
    pub(crate) fn freed(&self) {
        if self.waiting() > 0 {
            self.freed.notify_one();
        }
    }

    fn enter(self: &Arc<Self>, most: u32) -> Option<Seat> {
        let so_many = self.waiting.fetch_add(1, Ordering::SeqCst);
        let seat = Seat { changed: self.changed.subscribe(), room: self.clone() };
        (so_many < most).then_some(seat)
    }
}

/// A place in the room; free again when dropped.
struct Seat {
    room: Arc<WaitingRoom>,
    changed: watch::Receiver<()>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.room.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The time that one request has for waiting, all its waits together.
pub(crate) struct Patience<'a> {
    metrics: &'a Metrics,
    wait: Option<Wait>,
}

struct Wait {
    seat: Seat,
    began: Instant,
    until: Instant,
    names: (String, String),
    ended: &'static str,
}

/// It is waited no longer.
pub(crate) struct GaveUp;

impl<'a> Patience<'a> {
    pub(crate) fn new(metrics: &'a Metrics) -> Self {
        Self { metrics, wait: None }
    }

    /// Returns when it is worth looking for a backend again; at once the first time, since one may have come between the
    /// look and the wait.
    pub(crate) async fn wait(&mut self, route: &LiveRoute) -> Result<(), GaveUp> {
        let Some(wait) = self.wait.as_mut().filter(|wait| Arc::ptr_eq(&wait.seat.room, &route.room)) else {
            return self.sit_down(route);
        };
        let left = wait.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            wait.ended = LATE;
            return Err(GaveUp);
        }
        let told = async {
            tokio::select! {
                // Fails only when the sender is gone, which lives as long as the seat.
                _ = wait.seat.changed.changed() => {}
                () = wait.seat.room.freed.notified() => {}
                () = sleep(LOOK) => {}
            }
        };
        let _ = timeout(left, told).await;
        Ok(())
    }

    /// A backend took the request. How long that was waited for, if at all.
    pub(crate) fn rewarded(&mut self) -> Duration {
        let Some(mut wait) = self.wait.take() else { return Duration::ZERO };
        wait.ended = SERVED;
        let took = wait.began.elapsed();
        self.tell(&wait);
        took
    }

    fn sit_down(&mut self, route: &LiveRoute) -> Result<(), GaveUp> {
        let balancing = &route.route.balancing;
        let limit = Duration::from_millis(balancing.wait_ms);
        if limit.is_zero() {
            return Err(GaveUp);
        }
        let names = (route.project.clone(), route.route.name.clone());
        let Some(seat) = route.room.enter(balancing.queue) else {
            self.metrics.waited(names, FULL);
            return Err(GaveUp);
        };
        // Where the address changed hands meanwhile, the time is still one.
        let began = self.wait.as_ref().map_or_else(Instant::now, |wait| wait.began);
        self.wait = Some(Wait { seat, began, until: began + limit, names, ended: GONE });
        Ok(())
    }

    fn tell(&self, wait: &Wait) {
        self.metrics.waited(wait.names.clone(), wait.ended);
    }
}

impl Drop for Patience<'_> {
    fn drop(&mut self) {
        if let Some(wait) = self.wait.take() {
            self.tell(&wait);
        }
    }
}
