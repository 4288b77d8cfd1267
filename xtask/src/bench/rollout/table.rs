//! The table: requests, failures and the longest gap of each scenario.

use std::fmt;
use std::time::Duration;

use crate::load::Numbers;

/// What one scenario came to.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) numbers: Numbers,
    /// How long the change itself took.
    pub(super) took: Duration,
    /// Whether failures are reported only.
    pub(super) may_fail: bool,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = &self.numbers;
        write!(
            f,
            "| {} | {} | {} | {:.0} | {:.1} | {:.1} |",
            self.name,
            grouped(numbers.sent),
            grouped(numbers.failed),
            numbers.longest_gap_ms,
            numbers.p99_ms,
            self.took.as_secs_f64()
        )?;
        for (reason, count) in &numbers.failures {
            write!(f, "\n  {count} × {reason}")?;
        }
        Ok(())
    }
}

pub(super) fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| what happens | requests | failed | longest gap (ms) | 99 of 100 within (ms) | seconds |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for row in rows {
        let whole = row.to_string();
        text.push_str(whole.lines().next().unwrap_or_default());
        text.push('\n');
    }
    text
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_why_requests_failed() {
        let mut numbers = Numbers { sent: 1_234_567, failed: 12, longest_gap_ms: 3.4, ..Numbers::default() };
        numbers.failures.insert("status 502".to_owned(), 12);
        let row = Row { name: "a", numbers, took: Duration::from_millis(1_250), may_fail: false };
        assert_eq!(row.to_string(), "| a | 1,234,567 | 12 | 3 | 0.0 | 1.2 |\n  12 × status 502");
        assert_eq!(table(&[row]).lines().count(), 3);
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!([0, 999, 1_000, 10_000].map(grouped), ["0", "999", "1,000", "10,000"]);
    }
}
