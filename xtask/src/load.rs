//! A load generator that keeps its pace whatever the server does.
//!
//! It is open-loop: request `n` is due at `n / rate` seconds, and its latency counts from that moment, so a server
//! that stalls is charged for every request that should have been served meanwhile (no coordinated omission).
//! It sends to loopback addresses only.

mod connection;
mod once;
mod outcome;
mod recorder;
mod report;
mod schedule;
mod sender;
mod settings;
mod way;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

pub use once::get_once;
pub use outcome::Failure;
pub use report::{Ended, Numbers, Phase, Report};
pub use settings::{LoadError, Settings, Shape};
pub use way::Way;

use recorder::Recorder;

/// A load that runs, in a thread and runtime of its own. Dropping it stops it without a report.
pub struct Load {
    shared: Arc<Shared>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Ended>,
}

/// What the sending side and the asking side both see.
struct Shared {
    begun: Instant,
    recorder: Mutex<Recorder>,
    changed: Condvar,
}

impl Shared {
    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time since the load began.
    fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}

impl Load {
    /// Starts to send at once; the first phase is called `phase`.
    ///
    /// # Errors
    /// When the settings are out of bounds, the target is not on this machine, or no runtime can be made.
    pub fn start(settings: Settings, phase: &str) -> Result<Self, LoadError> {
        settings.check()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| LoadError::Runtime { source })?;
        let shared = Arc::new(Shared {
            begun: Instant::now(),
            recorder: Mutex::new(Recorder::new(phase)),
            changed: Condvar::new(),
        });
        let (stop, stopped) = oneshot::channel();
        let seen = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("load".to_owned())
            .spawn(move || runtime.block_on(sender::send_all(settings, seen, stopped)))
            .map_err(|source| LoadError::Runtime { source })?;
        Ok(Self { shared, stop, thread })
    }

    /// Ends the phase that runs and begins another. A request counts in the phase in which it was due.
    ///
    /// # Errors
    /// When there are too many phases.
    pub fn phase(&self, name: &str) -> Result<(), LoadError> {
        let now = self.shared.now();
        self.shared.recorder().enter(name, now)
    }

    /// How many requests were sent so far.
    pub fn sent(&self) -> u64 {
        self.shared.recorder().sent()
    }

    /// Whether it still sends; it ends by itself at its limits.
    pub fn is_running(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Waits until that many requests were sent in all. `false` when the deadline passed first.
    pub fn wait_until_sent(&self, count: u64, deadline: Duration) -> bool {
        let guard = self.shared.recorder();
        let waited =
            self.shared.changed.wait_timeout_while(guard, deadline, |recorder| recorder.sent() < count);
        let (recorder, _) = waited.unwrap_or_else(PoisonError::into_inner);
        recorder.sent() >= count
    }

    /// Sends nothing more, waits for what is under way (at most the request timeout), and reports.
    ///
    /// # Errors
    /// When the sending thread broke down, so that the numbers cannot be trusted.
    pub fn stop(self) -> Result<Report, LoadError> {
        // A load that ended at its limits does not listen any more.
        let _ = self.stop.send(());
        let ended = self.thread.join().map_err(|_| LoadError::Crashed)?;
        Ok(self.shared.recorder().report(ended))
    }
}
