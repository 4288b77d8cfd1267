//! The worker: counts words every few seconds, and answers whether it is at it.

use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use seaworthy_service::{Config, Failure, Kit, Stop, bind, run};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::ONE;
use crate::database::Database;
use crate::settings::{self, DATABASE_PATH, WORKER_INTERVAL_SECONDS};
use crate::store::StoreError;

/// Failures in a row after which it gives up, so that whoever watches it is told.
const MAX_FAILURES: u32 = 30;
/// How much longer than its interval a round may take until the worker counts as stuck.
const ROUND_LIMIT: Duration = Duration::from_secs(15);

/// Runs the worker until it is told to stop.
pub fn worker() -> ExitCode {
    run("notes-worker", [settings::database_path(), settings::worker_interval()], work)
}

async fn work(config: Config, stop: Stop) -> Result<(), Failure> {
    let interval = Duration::from_secs(config.number(WORKER_INTERVAL_SECONDS).unwrap_or(2));
    let database = Database::open(config.text(DATABASE_PATH)).await?;
    let (progress, latest) = watch::channel(None);
    let listener = bind(&config).await?;
    let kit = Kit::new("notes-worker", ONE.number)
        .configured(&config)
        .check("progress", move || std::future::ready(is_at_work(*latest.borrow(), interval)));
    // It has nothing to drain: who asks it are probes.
    let probed = tokio::spawn(kit.linger(Duration::ZERO).serve(listener, Router::new(), stop.clone()));
    let outcome = count(&database, interval, &progress, &stop).await;
    stop.request();
    probed.await?;
    Ok(outcome?)
}

/// Counts words until a stop is asked for.
async fn count(
    database: &Database,
    interval: Duration,
    progress: &watch::Sender<Option<Instant>>,
    stop: &Stop,
) -> Result<(), StoreError> {
    let mut failures = 0;
    while !stop.is_requested() {
        let round = database.run(|store| store.has_schema(ONE.schema).and_then(|()| store.count_words()));
        match round.await {
            Ok(notes) => {
                failures = 0;
                progress.send_replace(Some(Instant::now()));
                if notes > 0 {
                    tracing::info!(notes, "words counted");
                }
            }
            Err(error) => {
                failures += 1;
                tracing::warn!(error = &error as &dyn std::error::Error, failures, "could not count words");
                if failures >= MAX_FAILURES {
                    return Err(error);
                }
            }
        }
        tokio::select! {
            () = sleep(interval) => {}
            () = stop.requested() => {}
        }
    }
    Ok(())
}

fn is_at_work(latest: Option<Instant>, interval: Duration) -> Result<(), String> {
    match latest {
        None => Err("no round was finished yet".to_owned()),
        Some(latest) if latest.elapsed() > interval + ROUND_LIMIT => {
            Err(format!("the last round was finished {} s ago", latest.elapsed().as_secs()))
        }
        Some(_) => Ok(()),
    }
}
