//! The table at the end: requests sent and failed, longest gap, latencies, time of each rollout.

use std::time::Duration;

use serde_json::{Value, json};

use crate::load::Report;

/// What the demo measured.
#[derive(Debug, Default)]
pub(super) struct Table {
    steps: Vec<Step>,
    report: Option<Report>,
}

#[derive(Debug)]
struct Step {
    name: String,
    took: Duration,
    exit: i32,
}

impl Table {
    pub(super) fn step(&mut self, name: &str, took: Duration, exit: i32) {
        self.steps.push(Step { name: name.to_owned(), took, exit });
    }

    pub(super) fn take(&mut self, report: &Report) {
        self.report = Some(report.clone());
    }

    pub(super) fn failed(&self) -> u64 {
        self.report.as_ref().map_or(0, |report| report.total.failed)
    }

    pub(super) fn text(&self) -> String {
        let Some(report) = &self.report else { return String::new() };
        let mut text = format!(
            "{:<26} {:>8} {:>9} {:>7} {:>12} {:>9} {:>9}\n",
            "STEP", "SECONDS", "REQUESTS", "FAILED", "LONGEST GAP", "P50", "P99"
        );
        for step in &self.steps {
            let phase = report.phases.iter().find(|phase| phase.name == step.name);
            let seconds = format!("{:.1}", step.took.as_secs_f64());
            text.push_str(&match phase {
                Some(phase) => format!(
                    "{:<26} {seconds:>8} {:>9} {:>7} {:>9.0} ms {:>6.1} ms {:>6.1} ms\n",
                    step.name,
                    phase.numbers.sent,
                    phase.numbers.failed,
                    phase.numbers.longest_gap_ms,
                    phase.numbers.p50_ms,
                    phase.numbers.p99_ms
                ),
                None => format!("{:<26} {seconds:>8} {:>9}\n", step.name, "-"),
            });
        }
        text.push_str(&format!(
            "{:<26} {:>8} {:>9} {:>7} {:>9.0} ms {:>6.1} ms {:>6.1} ms\n",
            "all",
            "",
            report.total.sent,
            report.total.failed,
            report.total.longest_gap_ms,
            report.total.p50_ms,
            report.total.p99_ms
        ));
        for (reason, count) in &report.total.failures {
            text.push_str(&format!("  {count} × {reason}\n"));
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let Some(report) = &self.report else { return Value::Null };
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|step| {
                let phase = report.phases.iter().find(|phase| phase.name == step.name);
                json!({
                    "name": step.name, "seconds": step.took.as_secs_f64(), "exit": step.exit,
                    "requests": phase.map(|phase| phase.numbers.sent), "failed": phase.map(|phase| phase.numbers.failed),
                    "longest_gap_ms": phase.map(|phase| phase.numbers.longest_gap_ms),
                })
            })
            .collect();
        json!({
            "version": 1, "requests": report.total.sent, "failed": report.total.failed,
            "longest_gap_ms": report.total.longest_gap_ms, "p50_ms": report.total.p50_ms, "p99_ms": report.total.p99_ms,
            "steps": steps,
        })
    }
}
