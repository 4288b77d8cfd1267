//! `deploy` killed after every line of its journal: the old or the new release serves, no request fails, the next
//! command settles it, and nothing is left over.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "code of tests")]

#[path = "support/load.rs"]
mod load;
#[path = "support/site.rs"]
mod site;

use load::Load;
use site::{Site, wait_until};

/// More lines than any deploy of the sample writes.
const MOST_LINES: u32 = 80;

#[test]
fn killed_after_any_line_of_the_journal() {
    let site = Site::new();
    site.done(&["deploy", "-y"]);
    let load = Load::start(site.port);
    let mut version = 1;
    let mut settled = (0, 0);
    for lines in 1..=MOST_LINES {
        version += 1;
        site.install(version);
        let ran =
            site.run_with(&["deploy", "-y"], &[("SEAWORTHY_TEST_KILL_AFTER_LINES", &lines.to_string())]);
        if ran.code == 0 {
            assert!(lines > 10, "a deploy writes more lines than that");
            break;
        }
        assert_eq!(ran.code, -1, "killed, not failed:\n{}", ran.all());
        assert!(lines < MOST_LINES, "the deploy never came to its end");
        let body = site.get("/").expect("a release serves");
        let old_or_new = [format!("version {:03}", version - 1), format!("version {version:03}")];
        assert!(old_or_new.iter().any(|text| body.starts_with(text)), "after {lines} lines: {body}");
        let unfinished = site.run(&["history", "--format", "json"]);
        let open = unfinished.stdout.contains("\"running\"");
        let next = site.done(&["deploy", "-y"]);
        if open {
            match next.stderr.contains("finishing it first") {
                true => settled.1 += 1,
                false => {
                    assert!(next.stderr.contains("undoing it first"), "it says so:\n{}", next.stderr);
                    settled.0 += 1;
                }
            }
        }
        assert_eq!(site.get("/").unwrap(), format!("version {version:03} greeting hello"));
        assert_clean(&site);
    }
    assert!(
        settled.0 > 3 && settled.1 > 3,
        "both ways were taken: undone {}, finished {}",
        settled.0,
        settled.1
    );
    let (sent, failures) = load.stop();
    assert!(
        failures.is_empty(),
        "{} of {sent} requests failed: {:?}",
        failures.len(),
        &failures[..failures.len().min(5)]
    );
    site.done(&["down", "-y"]);
    wait_until("no process is left", || site.processes().is_empty());
}

/// Three instances of `web`, one `worker`, and the job; no lock, nothing unfinished.
fn assert_clean(site: &Site) {
    let ps = site.done(&["ps", "--format", "json"]).stdout;
    let told: serde_json::Value = serde_json::from_str(&ps).unwrap();
    let instances = told["instances"].as_array().unwrap();
    let count = |name: &str| instances.iter().filter(|instance| instance["id"]["service"] == name).count();
    assert_eq!((count("web"), count("worker"), count("migrate")), (3, 1, 1), "{ps}");
    let status: serde_json::Value =
        serde_json::from_str(&site.done(&["status", "--format", "json"]).stdout).unwrap();
    assert!(status["under_way"].is_null() && status["unfinished"].is_null(), "{status}");
}
