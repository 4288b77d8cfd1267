//! Room for connections: so many over all addresses, some of it kept for each address, so that none of them is shut out by a
//! flood at another. Where there is none left, those that rest longest make some.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::limits;

/// Connections at a time, over all addresses; fewer where the system gives fewer descriptors. More wait to be
/// accepted.
const MOST_CONNECTIONS: usize = 20_000;
/// So many of them are kept for each address alone; fewer where many share little room.
const KEPT: usize = 256;
/// All that is kept is at most this part of the room.
const KEPT_PART: usize = 2;

/// Room for connections.
#[derive(Debug)]
pub(crate) struct Room {
    shared: Arc<Semaphore>,
    most: usize,
    counts: Arc<Counts>,
    /// Told when one more is wanted than there is room for.
    crowded: Notify,
    /// How often that was.
    full: AtomicU64,
}

#[derive(Debug, Default)]
struct Counts {
    /// Places that are taken, be it only for a connection that may come.
    taken: AtomicU64,
    /// Connections that are open.
    open: AtomicU64,
}

/// What is kept for one address.
#[derive(Debug)]
pub(super) struct Share {
    own: Arc<Semaphore>,
    /// Taken from what is shared, as long as somebody listens there.
    _kept: Option<OwnedSemaphorePermit>,
}

/// A place for one connection.
#[derive(Debug)]
pub(super) struct Seat {
    _permit: OwnedSemaphorePermit,
    counts: Arc<Counts>,
    is_open: bool,
}

impl Room {
    /// As much as this process can get.
    pub(crate) fn take() -> Self {
        Self::of(limits::connections().clamp(1, MOST_CONNECTIONS))
    }

    fn of(most: usize) -> Self {
        Self {
            shared: Arc::new(Semaphore::new(most)),
            most,
            counts: Arc::default(),
            crowded: Notify::new(),
            full: AtomicU64::new(0),
        }
    }

    /// How many connections may be open at a time.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// How many are.
    pub(crate) fn open(&self) -> u64 {
        self.counts.open.load(Ordering::Relaxed)
    }

    /// How often there was no room for one more.
    pub(crate) fn times_full(&self) -> u64 {
        self.full.load(Ordering::Relaxed)
    }

    /// Whether no connection is open, and none is waited for.
    pub(crate) fn is_empty(&self) -> bool {
        self.counts.taken.load(Ordering::SeqCst) == 0
    }

    /// Keeps some room for one more address beside these many.
    pub(super) fn keep(&self, addresses: usize) -> Share {
        let part = self.most / KEPT_PART / (addresses + 1);
        let wanted = u32::try_from(part.min(KEPT)).unwrap_or(0);
        // Where all is taken, nothing can be kept; there is as much for this address as for all others.
        let kept = self.shared.clone().try_acquire_many_owned(wanted).ok();
        let own = Arc::new(Semaphore::new(kept.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)));
        Share { own, _kept: kept }
    }

    /// A place for a connection; waits for one where there is none.
    pub(super) async fn seat(&self, share: &Share) -> Option<Seat> {
        let seat = |permit| {
            self.counts.taken.fetch_add(1, Ordering::SeqCst);
            Seat { _permit: permit, counts: self.counts.clone(), is_open: false }
        };
        if let Ok(permit) = self.shared.clone().try_acquire_owned() {
            return Some(seat(permit));
        }
        if let Ok(permit) = share.own.clone().try_acquire_owned() {
            return Some(seat(permit));
        }
        self.full.fetch_add(1, Ordering::Relaxed);
        self.crowded.notify_one();
        let permit = tokio::select! {
            permit = share.own.clone().acquire_owned() => permit,
            permit = self.shared.clone().acquire_owned() => permit,
        };
        permit.ok().map(seat)
    }

    /// Returns when a connection that rests is to make room: the one that rests longest is told first.
    pub(super) async fn crowded(&self) {
        self.crowded.notified().await;
    }
}

impl Seat {
    /// A connection takes it.
    pub(super) fn open(mut self) -> Self {
        self.is_open = true;
        self.counts.open.fetch_add(1, Ordering::Relaxed);
        self
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.is_open {
            self.counts.open.fetch_sub(1, Ordering::Relaxed);
        }
        self.counts.taken.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_flood_at_one_address_leaves_room_at_the_others() {
        let room = Room::of(100);
        let (quiet, flooded) = (room.keep(0), room.keep(1));
        let kept = quiet.own.available_permits();
        assert_eq!((kept, flooded.own.available_permits()), (50, 25));
        let mut seats = Vec::new();
        while let Ok(Some(seat)) = timeout(Duration::from_millis(50), room.seat(&flooded)).await {
            seats.push(seat.open());
        }
        assert_eq!((seats.len(), room.open(), room.times_full()), (50, 50, 1));
        for _ in 0..kept {
            let seat = timeout(Duration::from_millis(50), room.seat(&quiet)).await.expect("its own room");
            seats.push(seat.unwrap().open());
        }
        assert_eq!(room.open(), 100);
        timeout(Duration::from_secs(5), room.crowded()).await.expect("who rests is asked for room");
        seats.clear();
        assert!(room.is_empty());
    }

    #[tokio::test]
    async fn what_was_kept_for_an_address_comes_back() {
        let room = Room::of(10);
        let share = room.keep(0);
        assert_eq!(room.shared.available_permits(), 5);
        drop(share);
        assert_eq!(room.shared.available_permits(), 10);
    }
}
