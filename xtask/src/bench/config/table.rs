//! The figures of `bench config`: columns, ratios, and which goals were missed.

use std::fmt::{self, Write};

use crate::bench::measure::Cost;

/// How many times faster than Docker Compose loading must be.
const TIMES_FASTER: f64 = 20.0;
/// The largest share of Docker Compose's memory.
const MEMORY_SHARE: f64 = 0.2;
/// The sizes at which these goals hold.
const GOAL_AT: [usize; 2] = [9, 1_000];
/// How much more a service may cost in the largest project than in one of a thousand: linear, and room for chance.
const GROWTH: f64 = 1.5;

/// One size of project.
pub(super) struct Row {
    pub(super) services: usize,
    pub(super) own: Cost,
    pub(super) compose: Option<Cost>,
}

impl Row {
    fn times_faster(&self) -> Option<f64> {
        Some(self.compose?.time.as_secs_f64() / self.own.time.as_secs_f64())
    }

    fn memory_share(&self) -> Option<f64> {
        Some(self.own.memory as f64 / self.compose?.memory as f64)
    }

    /// Microseconds for each service.
    fn per_service(&self) -> f64 {
        self.own.time.as_secs_f64() * 1e6 / self.services.max(1) as f64
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |cost: &Cost| format!("{:.1}", cost.time.as_secs_f64() * 1e3);
        let megabytes = |cost: &Cost| format!("{:.1}", cost.memory as f64 / 1024.0);
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        write!(
            f,
            "| {} | {} | {} | {} | {} | {} | {} | {:.0} |",
            self.services,
            milliseconds(&self.own),
            or_dash(self.compose.as_ref().map(milliseconds)),
            or_dash(self.times_faster().map(|times| format!("{times:.1}"))),
            megabytes(&self.own),
            or_dash(self.compose.as_ref().map(megabytes)),
            or_dash(self.memory_share().map(|share| format!("{:.0} %", share * 100.0))),
            self.per_service(),
        )
    }
}

pub(super) fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| services | ms | Compose ms | times faster | MiB | Compose MiB | share | µs a service |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for row in rows {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{row}");
    }
    text
}

/// The goals that the figures miss, in words.
pub(super) fn missed(rows: &[Row]) -> Vec<String> {
    let mut missed = Vec::new();
    for row in rows.iter().filter(|row| GOAL_AT.contains(&row.services)) {
        if let Some(times) = row.times_faster().filter(|times| *times < TIMES_FASTER) {
            missed
                .push(format!("{} services load {times:.1} times faster, not {TIMES_FASTER}", row.services));
        }
        if let Some(share) = row.memory_share().filter(|share| *share > MEMORY_SHARE) {
            missed.push(format!("{} services take {:.0} % of the memory", row.services, share * 100.0));
        }
    }
    let thousand = rows.iter().find(|row| row.services == 1_000);
    let largest = rows.iter().max_by_key(|row| row.services);
    if let (Some(thousand), Some(largest)) = (thousand, largest)
        && largest.per_service() > thousand.per_service() * GROWTH
    {
        missed.push(format!(
            "a service costs {:.0} µs among {}, {:.0} among 1000",
            largest.per_service(),
            largest.services,
            thousand.per_service()
        ));
    }
    missed
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn cost(milliseconds: u64, memory: u64) -> Cost {
        Cost { time: Duration::from_millis(milliseconds), memory }
    }

    #[test]
    fn each_missed_goal_is_told() {
        let row = |services, own, compose| Row { services, own, compose };
        let good = [
            row(9, cost(2, 1024), Some(cost(50, 10_240))),
            row(1_000, cost(100, 1024), Some(cost(2_000, 5_120))),
            row(10_000, cost(1_100, 1024), None),
        ];
        assert_eq!(missed(&good), Vec::<String>::new());
        assert!(
            table(&good).contains("| 9 | 2.0 | 50.0 | 25.0 | 1.0 | 10.0 | 10 % | 222 |"),
            "{}",
            table(&good)
        );
        let bad = [
            row(9, cost(3, 1024), Some(cost(50, 5_000))),
            row(1_000, cost(100, 1024), None),
            row(10_000, cost(2_000, 1024), None),
        ];
        let found = missed(&bad);
        assert!(found[0].contains("16.7 times") && found[1].contains("20 %"), "{found:?}");
        assert!(found[2].contains("200 µs among 10000"), "{found:?}");
    }
}
