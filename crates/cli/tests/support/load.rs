//! A steady stream of requests beside a test, counting what fails.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    dead_code,
    unreachable_pub,
    reason = "shared by several test programs"
)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::site::get;

/// Requests under way until it is stopped.
pub struct Load {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    failures: Arc<Mutex<Vec<String>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Four clients that send one request after the other to a port of this machine.
    pub fn start(port: u16) -> Self {
        Self::of(move || get(port, "/").map(|_| ()))
    }

    /// Four clients that do one exchange after the other.
    pub fn of(exchange: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Self {
        const CLIENTS: usize = 4;
        const MOST: u64 = 1_000_000;
        let load = Self {
            stop: Arc::default(),
            sent: Arc::default(),
            failures: Arc::default(),
            threads: Vec::new(),
        };
        let exchange = Arc::new(exchange);
        let client = |_| {
            let exchange = exchange.clone();
            let (stop, sent, failures) = (load.stop.clone(), load.sent.clone(), load.failures.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) && sent.fetch_add(1, Ordering::SeqCst) < MOST {
                    if let Err(failure) = exchange() {
                        failures.lock().unwrap().push(failure);
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
            })
        };
        let threads = (0..CLIENTS).map(client).collect();
        Self { threads, ..load }
    }

    /// Stops and returns how many were sent and what failed.
    pub fn stop(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().unwrap();
        }
        let failures = self.failures.lock().unwrap().clone();
        (self.sent.load(Ordering::SeqCst), failures)
    }
}
