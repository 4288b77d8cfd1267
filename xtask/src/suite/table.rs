//! The table at the end: suites, seconds, budgets, and what was skipped and why.

use std::fmt::{self, Write};
use std::time::Duration;

/// What became of a suite.
pub(super) enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Failed(why) => write!(f, "FAILED ({why})"),
            Self::Skipped(why) => write!(f, "skipped ({why})"),
        }
    }
}

/// One suite.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
    pub(super) budget: Duration,
}

/// All suites in columns, and a line that counts them.
pub(super) fn table(rows: &[Row]) -> String {
    let mut text = String::from("suite    seconds  budget  outcome\n");
    for Row { name, outcome, took, budget } in rows {
        let late =
            if took > budget { "  OVER BUDGET: make it faster, or say why it may take longer" } else { "" };
        // Writing to a text cannot fail.
        let _ =
            writeln!(text, "{name:<8} {:>7.1}  {:>6}  {outcome}{late}", took.as_secs_f64(), budget.as_secs());
    }
    let count = |wanted: fn(&Outcome) -> bool| rows.iter().filter(|row| wanted(&row.outcome)).count();
    let passed = count(|outcome| matches!(outcome, Outcome::Passed));
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let _ = writeln!(text, "{passed} passed, {failed} failed, {skipped} skipped");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_failed_and_skipped_suites_are_told() {
        let row = |name, outcome, seconds| Row {
            name,
            outcome,
            took: Duration::from_secs(seconds),
            budget: Duration::from_secs(60),
        };
        let text = table(&[
            row("a", Outcome::Passed, 61),
            row("b", Outcome::Failed("exit status: 101".to_owned()), 1),
            row("c", Outcome::Skipped("no engine".to_owned()), 0),
        ]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].contains("OVER BUDGET"), "{text}");
        assert!(lines[2].contains("FAILED (exit status: 101)") && !lines[2].contains("OVER"), "{text}");
        assert!(lines[3].contains("skipped (no engine)"), "{text}");
        assert_eq!(lines[4], "1 passed, 1 failed, 1 skipped");
    }
}
