//! Promises about logs: whole, in order, from any place on.

use super::{Case, Harness, LOOK, PATIENCE, Sample, cleaned, ensured, prepared};
use crate::{Instance, LogCursor, LogStream};

const LINES: u32 = 50;

async fn read(
    harness: &dyn Harness,
    case: &Case,
    instance: &Instance,
    cursor: LogCursor,
    limit: usize,
) -> (Vec<String>, LogCursor) {
    let read = harness.engine().logs(&case.revision.project, &instance.id, cursor, limit).await;
    let (lines, next) = read.expect("the log of an instance can be read");
    assert!(lines.len() <= limit, "at most the limit is given");
    assert!(lines.iter().all(|line| line.stream == LogStream::Stdout));
    (lines.into_iter().map(|line| line.text).collect(), next)
}

fn expected() -> Vec<String> {
    (1..=LINES).map(|number| format!("line {number}")).collect()
}

/// Waits until all lines are there, reading on from where it stopped.
async fn follow(
    harness: &dyn Harness,
    case: &Case,
    instance: &Instance,
    limit: usize,
) -> (Vec<String>, LogCursor) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let (mut all, mut cursor) = (Vec::new(), LogCursor::Start);
    while all.len() < LINES as usize {
        let (lines, next) = read(harness, case, instance, cursor, limit).await;
        all.extend(lines);
        cursor = next;
        assert!(tokio::time::Instant::now() < deadline, "only {} lines came", all.len());
        tokio::time::sleep(LOOK).await;
    }
    (all, cursor)
}

/// Reading on gives each line once and in order, however few at a time; at the end, none.
pub async fn logs_are_read_from_a_cursor_on(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Writes(LINES)).await;
    let instance = ensured(harness, &case, 1).await;
    for limit in [7, 1000] {
        let (lines, end) = follow(harness, &case, &instance, limit).await;
        assert_eq!(lines, expected());
        assert_eq!(read(harness, &case, &instance, end, limit).await.0, [""; 0]);
    }
    cleaned(harness, &[&case]).await;
}

/// The tail is the last lines, and reading goes on behind them.
pub async fn logs_have_a_tail(harness: &dyn Harness) {
    let case = prepared(harness, Sample::Writes(LINES)).await;
    let instance = ensured(harness, &case, 1).await;
    follow(harness, &case, &instance, 1000).await;
    let all = expected();
    for count in [0, 1, 10, LINES as usize, 1000] {
        let (lines, next) = read(harness, &case, &instance, LogCursor::tail(count), 1000).await;
        assert_eq!(lines, all[all.len() - count.min(all.len())..]);
        assert_eq!(read(harness, &case, &instance, next, 1000).await.0, [""; 0]);
    }
    cleaned(harness, &[&case]).await;
}
