//! `bench rollout`: requests that fail and the longest gap while releases change on a Docker Engine, beside Docker Compose.

mod beside;
mod scenarios;
pub(super) mod site;
mod table;

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::compose;
use crate::load::{Ended, Load, Report, Settings, Shape, Way};
use crate::workspace::Workspace;
use scenarios::SCENARIOS;
use site::Site;
use table::Row;

type Told<T> = Result<T, Box<dyn Error>>;

/// One request in so many comes by a connection of its own.
const FRESH_EVERY: u64 = 5;
/// How long a load may go on after its scenario until enough was sent.
const AFTERWARDS: Duration = Duration::from_secs(120);
/// It goes on for so long at least, so that late failures are seen.
const LATE: Duration = Duration::from_secs(2);

/// Count failed requests while releases change on a Docker Engine
#[derive(Debug, clap::Args)]
pub(super) struct RolloutArguments {
    /// Requests a second, steady
    #[arg(long, default_value_t = 500)]
    rate: u32,
    /// The least number of requests in each scenario
    #[arg(long, default_value_t = 10_000)]
    requests: u64,
    /// Only scenarios whose name holds this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// The program `docker-compose` to compare with; else `SEAWORTHY_COMPOSE` or the one that was fetched before
    #[arg(long, value_name = "PATH")]
    compose: Option<PathBuf>,
}

pub(super) fn rollout(
    workspace: &Workspace,
    arguments: &RolloutArguments,
    output: &mut dyn Write,
) -> Told<bool> {
    let wanted = |name: &str| arguments.only.as_deref().is_none_or(|text| name.contains(text));
    let mut site = Site::new(workspace)?;
    site.compose = match &arguments.compose {
        Some(path) => Some(path.clone()),
        None => compose::COMPOSE.program(workspace, false, output).ok(),
    };
    let mut rows = Vec::new();
    let deployed = SCENARIOS.iter().any(|scenario| wanted(scenario.name));
    if deployed {
        site.deploy_first()?;
    }
    for scenario in SCENARIOS.iter().filter(|scenario| wanted(scenario.name)) {
        writeln!(output, "\n== {}", scenario.name)?;
        output.flush()?;
        (scenario.before)(&mut site)?;
        let (report, took) = under(&site, arguments, scenario.way, || (scenario.work)(&mut site.clone()))?;
        (scenario.after)(&mut site)?;
        let row = Row { name: scenario.name, numbers: report.total, took, may_fail: scenario.may_fail };
        writeln!(output, "{row}")?;
        rows.push(row);
    }
    if deployed {
        site.down()?;
    }
    for kind in beside::KINDS.iter().filter(|kind| wanted(kind.name)) {
        let Some(real) = site.compose.clone() else {
            writeln!(
                output,
                "\nwithout Docker Compose there is nothing to compare with; `--compose` names it"
            )?;
            break;
        };
        writeln!(output, "\n== {}", kind.name)?;
        if let Err(why) = beside::up(&site, &real, kind) {
            writeln!(output, "skipped: {why}")?;
            continue;
        }
        let measured = under(&site, arguments, Way::Plain, || beside::update(&site, &real));
        beside::down(&site, &real)?;
        let (report, took) = measured?;
        let row = Row { name: kind.name, numbers: report.total, took, may_fail: true };
        writeln!(output, "{row}")?;
        rows.push(row);
    }
    write!(output, "\n{}", table::table(&rows))?;
    Ok(rows.iter().all(|row| row.may_fail || row.numbers.failed == 0))
}

/// Does `work` under a steady load that goes on until enough was sent.
#[expect(clippy::disallowed_methods, reason = "a bench measures by the real clock")]
fn under(
    site: &Site,
    arguments: &RolloutArguments,
    way: Way,
    work: impl FnOnce() -> Told<()>,
) -> Told<(Report, Duration)> {
    let settings = Settings {
        rate: arguments.rate,
        fresh_every: FRESH_EVERY,
        way,
        ..Settings::new(site.address(), vec![Shape::get(if way == Way::WebSocket { "/echo" } else { "/" })])
    };
    let load = Load::start(settings, "all")?;
    let second = u64::from(arguments.rate);
    load.wait_until_sent(second, AFTERWARDS);
    let begun = Instant::now();
    let worked = work();
    let took = begun.elapsed();
    let enough = arguments.requests.max(load.sent() + second * LATE.as_secs());
    load.wait_until_sent(if worked.is_ok() { enough } else { 0 }, AFTERWARDS);
    let report = load.stop()?;
    worked?;
    match report.ended {
        Ended::Stopped => Ok((report, took)),
        Ended::RequestLimit | Ended::TimeLimit => Err("the load ended before the scenario did.".into()),
    }
}
