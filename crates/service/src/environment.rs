//! The rim: the process's environment, files, clock, signals and standard output.
#![expect(clippy::disallowed_methods, reason = "the one file of this crate that touches the ambient world")]

use std::io::{self, Read, Write};
use std::path::Path;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use crate::Stop;
use crate::config::source::{MAX_FILE_BYTES, Source, Unreadable};

/// The environment of this process, and the files its variables name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Environment;

impl Source for Environment {
    fn variable(&self, name: &str) -> Result<Option<String>, Unreadable> {
        match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(Unreadable::NotText),
        }
    }

    fn file(&self, path: &Path) -> Result<String, Unreadable> {
        let file = std::fs::File::open(path).map_err(Unreadable::File)?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(Unreadable::File)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(Unreadable::TooLarge);
        }
        String::from_utf8(bytes).map_err(|_| Unreadable::NotText)
    }
}

/// The time on the clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Writes one whole line to standard output. Nobody is left to tell when that fails.
pub(crate) fn write_line(line: &[u8]) {
    let mut output = io::stdout().lock();
    let _ = output.write_all(line);
    let _ = output.flush();
}

/// Asks `stop` to stop on SIGTERM and SIGINT, for as long as the runtime lives. Only a person presses Ctrl-C twice, so
/// only a SIGINT that comes later insists; a second SIGTERM may come from a supervisor that repeats itself.
pub(crate) fn stop_on_signals(stop: Stop) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                Some(()) = terminate.recv() => stop.request(),
                Some(()) = interrupt.recv() => if stop.is_requested() { stop.insist() } else { stop.request() },
                else => return,
            }
        }
    });
    Ok(())
}
