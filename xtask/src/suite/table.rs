//! The table at the end: suites, seconds, budgets, what was skipped and why, and what failed tests printed.

use std::fmt::{self, Write};
use std::time::Duration;

use super::failures::FailedTest;

/// What became of a suite.
pub(super) enum Outcome {
    Passed,
    /// These tests failed beside the others, and passed alone.
    Unsteady(Vec<FailedTest>),
    Failed {
        why: String,
        tests: Vec<FailedTest>,
    },
    Skipped(String),
}

impl Outcome {
    /// A failure that no single test stands for.
    pub(super) fn failed(why: impl Into<String>) -> Self {
        Self::Failed { why: why.into(), tests: Vec::new() }
    }

    fn tests(&self) -> &[FailedTest] {
        match self {
            Self::Unsteady(tests) | Self::Failed { tests, .. } => tests,
            Self::Passed | Self::Skipped(_) => &[],
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Unsteady(tests) => write!(f, "UNSTEADY (at a second try only: {})", names(tests)),
            Self::Failed { why, tests } if tests.is_empty() => write!(f, "FAILED ({why})"),
            Self::Failed { why, tests } => write!(f, "FAILED ({why}: {})", names(tests)),
            Self::Skipped(why) => write!(f, "skipped ({why})"),
        }
    }
}

fn names(tests: &[FailedTest]) -> String {
    tests.iter().map(|test| test.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// One suite.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
    pub(super) budget: Duration,
}

/// What failed tests printed, all suites in columns, and a line that counts them.
pub(super) fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    for (row, test) in rows.iter().flat_map(|row| row.outcome.tests().iter().map(move |test| (row, test))) {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "---- {}: {}", row.name, test.name);
        test.output.iter().for_each(|line| {
            let _ = writeln!(text, "{line}");
        });
    }
    text.push_str("suite    seconds  budget  outcome\n");
    for Row { name, outcome, took, budget } in rows {
        let late =
            if took > budget { "  OVER BUDGET: make it faster, or say why it may take longer" } else { "" };
        let _ =
            writeln!(text, "{name:<8} {:>7.1}  {:>6}  {outcome}{late}", took.as_secs_f64(), budget.as_secs());
    }
    let count = |wanted: fn(&Outcome) -> bool| rows.iter().filter(|row| wanted(&row.outcome)).count();
    let passed = count(|outcome| matches!(outcome, Outcome::Passed));
    let unsteady = count(|outcome| matches!(outcome, Outcome::Unsteady(_)));
    let failed = count(|outcome| matches!(outcome, Outcome::Failed { .. }));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let _ = writeln!(text, "{passed} passed, {unsteady} unsteady, {failed} failed, {skipped} skipped");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_failed_unsteady_and_skipped_suites_are_told() {
        let row = |name, outcome, seconds| Row {
            name,
            outcome,
            took: Duration::from_secs(seconds),
            budget: Duration::from_secs(60),
        };
        let test = |name: &str| FailedTest { name: name.to_owned(), output: vec![format!("why {name}")] };
        let text = table(&[
            row("a", Outcome::Passed, 61),
            row("b", Outcome::failed("exit status: 101"), 1),
            row("c", Outcome::Skipped("no engine".to_owned()), 0),
            row("d", Outcome::Unsteady(vec![test("x::y")]), 0),
            row("e", Outcome::Failed { why: "exit status: 1".to_owned(), tests: vec![test("z")] }, 0),
        ]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..4], ["---- d: x::y", "why x::y", "---- e: z", "why z"], "{text}");
        assert!(lines[5].contains("OVER BUDGET"), "{text}");
        assert!(lines[6].contains("FAILED (exit status: 101)") && !lines[6].contains("OVER"), "{text}");
        assert!(lines[7].contains("skipped (no engine)"), "{text}");
        assert!(lines[8].contains("UNSTEADY (at a second try only: x::y)"), "{text}");
        assert!(lines[9].contains("FAILED (exit status: 1: z)"), "{text}");
        assert_eq!(lines[10], "1 passed, 1 unsteady, 2 failed, 1 skipped");
    }
}
