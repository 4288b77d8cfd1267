//! The wish to stop, which every part of a program can wait for.

use std::sync::Arc;

use tokio::sync::watch;

/// The wish to stop. Clones share it; once asked for, it is never taken back.
#[derive(Debug, Clone)]
pub struct Stop {
    urgency: Arc<watch::Sender<Urgency>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    None,
    Soon,
    Now,
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

impl Stop {
    /// A wish that nobody has had yet.
    pub fn new() -> Self {
        Self { urgency: Arc::new(watch::Sender::new(Urgency::None)) }
    }

    /// Asks to stop once what is under way is done. Asking again changes nothing.
    pub fn request(&self) {
        self.urgency.send_modify(|urgency| *urgency = (*urgency).max(Urgency::Soon));
    }

    /// Asks to stop at once, without waiting for what is under way.
    pub fn insist(&self) {
        self.urgency.send_modify(|urgency| *urgency = Urgency::Now);
    }

    /// Whether a stop was asked for.
    pub fn is_requested(&self) -> bool {
        *self.urgency.borrow() >= Urgency::Soon
    }

    /// Waits until a stop is asked for.
    pub async fn requested(&self) {
        self.reached(Urgency::Soon).await;
    }

    /// Waits until a stop at once is asked for.
    pub async fn insisted(&self) {
        self.reached(Urgency::Now).await;
    }

    async fn reached(&self, least: Urgency) {
        let mut urgency = self.urgency.subscribe();
        // `self` holds the sender, so waiting cannot fail while it is borrowed.
        let _ = urgency.wait_for(|urgency| *urgency >= least).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiters_are_told_once_and_for_all() {
        let stop = Stop::new();
        assert!(!stop.is_requested());
        let waiter = tokio::spawn({
            let stop = stop.clone();
            async move { stop.requested().await }
        });
        stop.request();
        waiter.await.unwrap();
        stop.requested().await;
        assert!(stop.is_requested());
        let impatient = tokio::spawn({
            let stop = stop.clone();
            async move { stop.insisted().await }
        });
        stop.insist();
        stop.request();
        impatient.await.unwrap();
    }
}
