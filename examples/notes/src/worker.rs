//! The worker: counts words every few seconds.

use std::process::ExitCode;
use std::time::Duration;

use seaworthy_service::{Config, Failure, Stop, run};
use tokio::time::sleep;

use crate::database::Database;
use crate::settings::{self, DATABASE_PATH, WORKER_INTERVAL_SECONDS};

/// Failures in a row after which it gives up, so that whoever watches it is told.
const MAX_FAILURES: u32 = 30;

/// Runs the worker until it is told to stop.
pub fn worker() -> ExitCode {
    run("notes-worker", [settings::database_path(), settings::worker_interval()], work)
}

async fn work(config: Config, stop: Stop) -> Result<(), Failure> {
    let interval = Duration::from_secs(config.number(WORKER_INTERVAL_SECONDS).unwrap_or(2));
    let database = Database::open(config.text(DATABASE_PATH)).await?;
    tracing::info!(interval_seconds = interval.as_secs(), "waiting for notes");
    let mut failures = 0;
    while !stop.is_requested() {
        match database.run(|store| store.has_schema(1).and_then(|()| store.count_words())).await {
            Ok(0) => failures = 0,
            Ok(notes) => {
                failures = 0;
                tracing::info!(notes, "words counted");
            }
            Err(error) => {
                failures += 1;
                tracing::warn!(error = &error as &dyn std::error::Error, failures, "could not count words");
                if failures >= MAX_FAILURES {
                    return Err(error.into());
                }
            }
        }
        tokio::select! {
            () = sleep(interval) => {}
            () = stop.requested() => {}
        }
    }
    tracing::info!("stopped");
    Ok(())
}
