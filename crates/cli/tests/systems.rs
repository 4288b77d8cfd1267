//! The examples as their users have them, on a real Docker Engine: developed with Docker Compose, deployed, used, rolled
//! under load, broken and kept, rolled back, scaled, and taken down with nothing left over.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    dead_code,
    unreachable_pub,
    reason = "code of tests"
)]

#[path = "systems/atlas.rs"]
mod atlas;
#[path = "support/door.rs"]
mod door;
#[path = "support/example.rs"]
mod example;
#[path = "systems/full_stack.rs"]
mod full_stack;
#[path = "systems/knowledge_base.rs"]
mod knowledge_base;
#[path = "support/load.rs"]
mod load;
#[path = "support/site.rs"]
mod site;
#[path = "systems/stock_lessons.rs"]
mod stock_lessons;
#[path = "systems/trials.rs"]
mod trials;
#[path = "systems/xml_converter.rs"]
mod xml_converter;

use std::path::PathBuf;
use std::time::Duration;

use load::Load;

/// How long a task may wait to be given out again: Celery looks for such tasks every 100 s.
const REDELIVERED: Duration = Duration::from_secs(240);

/// The real Docker Compose. `cargo xtask test` names it, and leaves out the tests of development where there is none.
fn compose() -> PathBuf {
    let named = std::env::var_os("SEAWORTHY_COMPOSE");
    PathBuf::from(named.expect("`SEAWORTHY_COMPOSE` names the program `docker-compose`"))
}

/// Ends a load of which nothing may have failed.
fn nothing_failed(load: Load, least: u64) {
    let (sent, failures) = load.stop();
    let shown = &failures[..failures.len().min(5)];
    assert!(failures.is_empty(), "{} of {sent} requests failed: {shown:?}", failures.len());
    assert!(sent >= least, "only {sent} requests were sent");
    println!("{sent} requests, none failed");
}
