//! Lanes: threads that serve, one a core, each with a runtime and connections of its own, so that none waits for another.

use std::cell::Cell;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::error::GatewayError;

/// More threads would wait for one another in what all share: the table, the counters, the access log.
pub(crate) const MOST_LANES: usize = 16;

thread_local! {
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// The lane of this thread. Threads that serve nobody count to the first one.
pub(crate) fn current() -> usize {
    CURRENT.get()
}

/// The threads that serve. They end when this is dropped, and what they still had open with them.
#[derive(Debug)]
pub(crate) struct Lanes {
    lanes: Vec<Lane>,
}

#[derive(Debug)]
struct Lane {
    handle: Handle,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Lanes {
    /// Starts one for each core that this process may use.
    pub(crate) fn start() -> Result<Self, GatewayError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let lanes = (0..cores.clamp(1, MOST_LANES)).map(Lane::start).collect::<Result<_, _>>();
        Ok(Self { lanes: lanes.map_err(GatewayError::io("start a thread that serves"))? })
    }

    /// The runtimes, one a lane.
    pub(crate) fn handles(&self) -> Vec<Handle> {
        self.lanes.iter().map(|lane| lane.handle.clone()).collect()
    }
}

impl Lane {
    fn start(number: usize) -> std::io::Result<Self> {
        let (end, ended) = oneshot::channel::<()>();
        let (told, handle) = mpsc::channel();
        let serve = move || {
            CURRENT.set(number);
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = told.send(Err(error));
                    return;
                }
            };
            let _ = told.send(Ok(runtime.handle().clone()));
            // Either way there is nothing more to serve.
            let _ = runtime.block_on(ended);
        };
        let thread = std::thread::Builder::new().name(format!("lane-{number}")).spawn(serve)?;
        let handle = handle.recv().map_err(std::io::Error::other)??;
        Ok(Self { handle, end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            let _ = end.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
