//! Holds `seaworthy -e development config --format json` against the real Docker Compose: thousands of small projects of
//! our own, whose resolved models were written down from it, and whole projects where a folder of them is named.
//!
//! - `SEAWORTHY_COMPOSE=PATH` asks the real program too, and fails where it no longer says what was written down.
//! - `SEAWORTHY_BLESS=1` beside it writes its answers down anew.
//! - `SEAWORTHY_PROJECTS=FOLDER` beside it compares every Compose project below that folder.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::exit,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "code of tests"
)]

#[path = "differential/answers.rs"]
mod answers;
#[path = "differential/case.rs"]
mod case;
#[path = "differential/compare.rs"]
mod compare;
#[path = "differential/programs.rs"]
mod programs;
#[path = "differential/whole.rs"]
mod whole;

use std::path::{Path, PathBuf};

use answers::Answers;
use case::Case;
use programs::{Answer, Program};

/// The most failures that are shown whole.
const MAX_SHOWN: usize = 40;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential");
    let ours = Program::ours(PathBuf::from(env!("CARGO_BIN_EXE_seaworthy")));
    let real = std::env::var_os("SEAWORTHY_COMPOSE").map(|path| Program::compose(PathBuf::from(path)));
    let cases = case::all(&folder.join("cases"));
    let mut failures = Vec::new();
    let answers = match (&real, std::env::var_os("SEAWORTHY_BLESS")) {
        (Some(real), Some(_)) => Answers::write_down(&folder.join("answers"), &cases, real),
        _ => Answers::read(&folder.join("answers")),
    };
    failures.extend(same_as_written_down(&cases, &answers, &ours));
    failures.extend(exemptions_are_told(&cases));
    println!(
        "{} small projects compared with the answers of Docker Compose {}",
        cases.len(),
        answers.version
    );
    match &real {
        Some(real) => {
            failures.extend(answers.differing(&cases, real));
            println!("{} small projects asked of {} itself", cases.len(), real.version());
        }
        None => println!("skipped: the real program (SEAWORTHY_COMPOSE names none)"),
    }
    match (&real, std::env::var_os("SEAWORTHY_PROJECTS")) {
        (Some(real), Some(folder)) => failures.extend(whole::compare(Path::new(&folder), &ours, real)),
        _ => println!("skipped: whole projects (SEAWORTHY_PROJECTS and SEAWORTHY_COMPOSE name none)"),
    }
    for failure in failures.iter().take(MAX_SHOWN) {
        println!("\n{failure}");
    }
    if !failures.is_empty() {
        println!("\n{} differences", failures.len());
        std::process::exit(1);
    }
}

/// Every case, but for those that differ on purpose: these must differ, or the reason is gone.
fn same_as_written_down(cases: &[Case], answers: &Answers, ours: &Program) -> Vec<String> {
    programs::each(cases, |case| {
        let wanted = answers.of(case)?;
        let seen = ours.answer(case);
        let differences = compare::differences(wanted, &seen);
        match (&case.differs, differences.is_empty()) {
            (None, true) | (Some(_), false) => None,
            (None, false) => Some(format!("{}: {}", case.title(), differences.join("\n    "))),
            (Some(reason), true) => {
                Some(format!("{}: is equal, though it says that it differs: {reason}", case.title()))
            }
        }
    })
    .into_iter()
    .flatten()
    .chain(cases.iter().filter(|case| answers.of(case).is_none()).map(|case| {
        format!(
            "{}: no answer is written down; run with SEAWORTHY_COMPOSE and SEAWORTHY_BLESS=1",
            case.title()
        )
    }))
    .collect()
}

/// What differs on purpose stands in the documentation.
fn exemptions_are_told(cases: &[Case]) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compose-compatibility.md");
    let text = std::fs::read_to_string(&page).unwrap_or_default();
    let untold =
        cases.iter().filter(|case| case.differs.is_some() && !text.contains(&format!("`{}`", case.name)));
    untold.map(|case| format!("{}: differs, and {} does not name it", case.title(), page.display())).collect()
}

/// Whether an answer is a refusal.
fn refuses(answer: &Answer) -> bool {
    matches!(answer, Answer::Refuses(_))
}
