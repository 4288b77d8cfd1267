//! What can happen to a release: each scenario is done under load.

use super::Told;
use super::site::{Site, Wish};
use crate::load::Way;

/// One thing that happens.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// Whether failed requests are reported only.
    pub(super) may_fail: bool,
    /// Which way requests come.
    pub(super) way: Way,
    /// Makes ready; the load has not begun.
    pub(super) before: fn(&mut Site) -> Told<()>,
    /// What happens under load.
    pub(super) work: fn(&mut Site) -> Told<()>,
    /// Puts things back; the load has ended.
    pub(super) after: fn(&mut Site) -> Told<()>,
}

/// An instance must have been well for so long where the scenario is not about that.
const SOON: &str = "1s";
/// After so many steps `deploy` is killed: while it prepares, starts, waits, moves requests, and takes away.
const KILLED_AFTER: [u32; 6] = [1, 3, 5, 7, 8, 9];

fn nothing(_: &mut Site) -> Told<()> {
    Ok(())
}

fn scenario(
    name: &'static str,
    before: fn(&mut Site) -> Told<()>,
    work: fn(&mut Site) -> Told<()>,
) -> Scenario {
    Scenario { name, may_fail: false, way: Way::Plain, before, work, after: nothing }
}

pub(super) static SCENARIOS: std::sync::LazyLock<Vec<Scenario>> = std::sync::LazyLock::new(|| {
    vec![
        scenario("good release", nothing, good_release),
        Scenario { way: Way::Http2, ..scenario("good release, clients with HTTP/2", nothing, good_release) },
        Scenario {
            way: Way::Sticky,
            after: |site| site.wish_deployed(Wish::default()),
            ..scenario(
                "good release, sticky sessions",
                |site| site.wish_deployed(Wish { sticky: true, ..Wish::default() }),
                good_release,
            )
        },
        Scenario {
            way: Way::WebSocket,
            ..scenario("good release, a WebSocket for each client", nothing, good_release)
        },
        scenario("broken release: never ready", nothing, broken_release),
        scenario("broken release: crashes after 5 s", nothing, crashing_release),
        scenario("migration that fails", nothing, failing_migration),
        scenario("configuration changed", nothing, configuration),
        scenario("rollback", nothing, rollback),
        scenario("scale 3 → 6 → 2", nothing, scale),
        Scenario {
            after: |site| site.wish(Wish::default()),
            ..scenario(
                "`kill -9` of `seaworthy deploy`, at six places",
                |site| site.wish(Wish { min_healthy: SOON, ..Wish::default() }),
                killed_deploys,
            )
        },
        scenario("`kill -9` of each instance in turn", restored, killed_instances),
        Scenario {
            may_fail: true,
            ..scenario("`kill -9` of the gateway's worker, five times", nothing, killed_workers)
        },
    ]
});

fn good_release(site: &mut Site) -> Told<()> {
    let version = site.install_next()?;
    site.expect(0, &["deploy", "-y"])?;
    site.serves(version)
}

fn broken_release(site: &mut Site) -> Told<()> {
    site.stays(Site::NEVER_READY, 3)
}

fn crashing_release(site: &mut Site) -> Told<()> {
    site.stays(Site::CRASHES, 3)
}

fn failing_migration(site: &mut Site) -> Told<()> {
    site.wish(Wish { migration: "1", ..Wish::default() })?;
    let next = site.next_version();
    site.stays(next, 3)?;
    site.wish(Wish::default())
}

fn configuration(site: &mut Site) -> Told<()> {
    site.wish(Wish { greeting: "changed", ..Wish::default() })?;
    site.expect(0, &["deploy", "-y"])?;
    site.says("greeting changed")
}

fn rollback(site: &mut Site) -> Told<()> {
    site.expect(0, &["rollback", "-y"])?;
    site.wish(Wish::default())?;
    site.says("greeting hello")
}

fn scale(site: &mut Site) -> Told<()> {
    site.expect(0, &["scale", "web=6", "-y"])?;
    site.expect(0, &["scale", "web=2", "-y"])
}

/// Three replicas again.
fn restored(site: &mut Site) -> Told<()> {
    site.expect(0, &["scale", "web=3", "-y"])
}

fn killed_deploys(site: &mut Site) -> Told<()> {
    for steps in KILLED_AFTER {
        let version = site.install_next()?;
        site.killed_after(steps, &["deploy", "-y"])?;
        site.expect(0, &["deploy", "-y"])?;
        site.serves(version)?;
    }
    Ok(())
}

fn killed_instances(site: &mut Site) -> Told<()> {
    for container in site.containers()? {
        site.kill_container(&container)?;
    }
    Ok(())
}

fn killed_workers(site: &mut Site) -> Told<()> {
    for _ in 0..5 {
        site.kill_worker()?;
    }
    Ok(())
}
