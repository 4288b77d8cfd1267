//! Scenario scripts: what was done to a project, and the plan that comes of it, as text one can read in review.
//!
//! A script is a file in `tests/scenarios/`. Each command's output stands below it, each line behind `> `; run the
//! tests with `SEAWORTHY_BLESS=1` to write what comes now, and review the difference.
#![allow(clippy::disallowed_methods, reason = "reads its scripts")]

#[path = "scenarios/script.rs"]
mod script;

use std::path::Path;

#[test]
fn scripts_give_the_plans_they_show() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let bless = std::env::var_os("SEAWORTHY_BLESS").is_some();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let shown = std::fs::read_to_string(&path).unwrap();
        let told = script::run(&shown);
        if bless {
            std::fs::write(&path, &told).unwrap();
        }
        assert!(told == shown || bless, "{} gives now:\n{told}", path.display());
        seen += 1;
    }
    assert!(seen >= 5, "the scripts are where they should be");
}
