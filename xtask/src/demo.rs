//! `cargo xtask demo`: the main job from end to end, with ordinary commands, under a steady load.

#![allow(clippy::disallowed_methods, reason = "the demo times its own steps by the real clock")]

mod site;
mod table;

use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use crate::demo::site::{Ran, Site};
use crate::demo::table::Table;
use crate::load::{Ended, Load, Report};
use crate::workspace::Workspace;

type Told<T> = Result<T, Box<dyn Error>>;

/// Requests per second while the demo runs.
const RATE: u32 = 250;
/// How long the load goes on by itself after the last step, so that late failures are seen.
const AFTERWARDS: Duration = Duration::from_secs(2);
/// How long it may go on at most.
const AFTERWARDS_AT_MOST: Duration = Duration::from_secs(60);
/// The demo promises so many requests; the load goes on until they were sent.
const LEAST_REQUESTS: u64 = 10_000;

/// Run the main job from end to end on a copy of the notes example
#[derive(Debug, clap::Args)]
pub struct DemoArguments {
    /// Leave it running, and print its address
    #[arg(long)]
    keep: bool,
    /// Print the table as JSON on the last line of standard output
    #[arg(long)]
    json: bool,
}

/// Runs the demo; answers whether no request failed.
///
/// # Errors
/// The first step that did not end as it should.
pub fn demo(workspace: &Workspace, arguments: &DemoArguments, output: &mut dyn Write) -> Told<bool> {
    let site = Site::new(workspace)?;
    let mut table = Table::default();
    let report = match tell(&site, &mut table) {
        Ok(report) => report,
        Err(error) => {
            // What was begun is taken down all the same; the first error is the one to tell.
            let _ = site.run(&["down", "-y"]);
            return Err(error);
        }
    };
    table.take(&report);
    site.heading("What is left: status and history")?;
    site.expect(0, &["status"])?;
    site.expect(0, &["history"])?;
    if arguments.keep {
        site.keep()?;
    } else {
        site.heading("Down")?;
        site.expect(0, &["down", "-y"])?;
        site.assert_nothing_left()?;
    }
    writeln!(output, "\n{}", table.text())?;
    if arguments.json {
        writeln!(output, "{}", table.json())?;
    }
    match report.ended {
        Ended::Stopped => Ok(table.failed() == 0),
        Ended::RequestLimit | Ended::TimeLimit => {
            Err("the load ended before the story did: not all was measured".into())
        }
    }
}

/// Everything under load, in order.
fn tell(site: &Site, table: &mut Table) -> Told<Report> {
    site.heading("A development project: what is not fit for production?")?;
    site.expect(1, &["-e", "development", "check"])?;
    site.heading("Harden: the safe fixes as an overlay, first as a diff")?;
    site.expect(0, &["harden", "--dry-run"])?;
    site.expect(0, &["harden"])?;
    site.heading(
        "What only a person can decide is added by hand: routes, probes, limits, where secrets come from",
    )?;
    site.add_by_hand()?;
    site.expect(0, &["harden"])?;
    site.expect(0, &["check"])?;

    site.install(1)?;
    site.heading("Version 1: three replicas behind the gateway")?;
    step(site, table, "deploy version 1", 0, &["deploy", "-y"])?;
    site.expect_version("1")?;

    let load = Load::start(site.load(RATE)?, "between")?;
    site.heading(&format!("Version 2, under {RATE} requests per second"))?;
    site.install(2)?;
    under(&load, "deploy version 2", || step(site, table, "deploy version 2", 0, &["deploy", "-y"]))?;
    site.expect_version("2")?;

    site.heading("Version 3 never gets ready: version 2 goes on serving, and the exit code is 3")?;
    site.install(3)?;
    let broken = under(&load, "deploy broken version 3", || {
        step(site, table, "deploy broken version 3", 3, &["deploy", "-y"])
    })?;
    site.show_bundle(&broken)?;
    site.expect_version("2")?;

    site.heading("One instance is killed with SIGKILL")?;
    under(&load, "kill -9 one instance", || {
        let began = Instant::now();
        site.kill_an_instance()?;
        table.step("kill -9 one instance", began.elapsed(), 0);
        Ok(())
    })?;

    site.heading("Back to version 1: code, configuration and environment together")?;
    under(&load, "rollback to version 1", || {
        step(site, table, "rollback to version 1", 0, &["rollback", "1", "-y"])
    })?;
    site.expect_version("1")?;
    load.phase("afterwards")?;
    let late = load.sent() + u64::from(RATE) * AFTERWARDS.as_secs();
    load.wait_until_sent(late.max(LEAST_REQUESTS), AFTERWARDS_AT_MOST);
    Ok(load.stop()?)
}

/// Runs a piece of the story as a phase of the load.
fn under<T>(load: &Load, name: &str, piece: impl FnOnce() -> Told<T>) -> Told<T> {
    load.phase(name)?;
    let told = piece();
    load.phase("between")?;
    told
}

fn step(site: &Site, table: &mut Table, name: &str, code: i32, arguments: &[&str]) -> Told<Ran> {
    let began = Instant::now();
    let ran = site.expect(code, arguments)?;
    table.step(name, began.elapsed(), ran.code);
    Ok(ran)
}
