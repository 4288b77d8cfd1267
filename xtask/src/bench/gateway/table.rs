//! The tables: what was measured of each, and how it stands to ours.

use super::cases::Case;
use super::peers::Peer;

/// What one case came to for one of them: the figures in the order of [`Figures::columns`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figures {
    /// Their names.
    pub(super) columns: &'static [&'static str],
    /// The medians.
    pub(super) values: Vec<f64>,
    /// Requests that failed.
    pub(super) failed: u64,
}

/// The tables of one case, as Markdown: a row a peer, our share of it behind the first figure.
pub(super) fn table(case: &Case, rows: &[(Peer, Result<Figures, String>)]) -> String {
    let Some(columns) = rows.iter().find_map(|(_, row)| row.as_ref().ok().map(|row| row.columns)) else {
        return format!("{}: nobody could be measured.\n", case.name);
    };
    let ours = rows.iter().find(|(peer, _)| *peer == Peer::Seaworthy);
    let ours = ours.and_then(|(_, row)| row.as_ref().ok());
    let mut text = format!("| {} | {} | ours to it | failed |\n", case.name, columns.join(" | "));
    text.push_str(&"| --- ".repeat(columns.len() + 3));
    text.push_str("|\n");
    for (peer, row) in rows {
        let line = match row {
            Ok(row) => {
                let values: Vec<String> = row.values.iter().map(|value| number(*value)).collect();
                let share = ours.map_or_else(|| "–".to_owned(), |ours| share(ours, row));
                format!("| {} | {} | {share} | {} |\n", peer.name(), values.join(" | "), row.failed)
            }
            Err(why) => format!("| {} | not measured: {why} |\n", peer.name()),
        };
        text.push_str(&line);
    }
    text
}

/// Each of our figures divided by theirs.
fn share(ours: &Figures, theirs: &Figures) -> String {
    let pairs = ours.values.iter().zip(&theirs.values);
    let shares: Vec<String> = pairs.map(|(ours, theirs)| format!("{:.2}", ours / theirs)).collect();
    shares.join(" / ")
}

/// The median of each figure over all runs.
pub(super) fn median(runs: &[Figures]) -> Option<Figures> {
    let first = runs.first()?;
    let at = |index: usize| {
        let mut all: Vec<f64> = runs.iter().filter_map(|run| run.values.get(index).copied()).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied()
    };
    let values = (0..first.values.len()).map(at).collect::<Option<_>>()?;
    Some(Figures { columns: first.columns, values, failed: runs.iter().map(|run| run.failed).sum() })
}

fn number(value: f64) -> String {
    match value {
        large if large >= 1_000.0 => {
            let digits = format!("{large:.0}");
            let (left, right) = digits.split_at(digits.len() - 3);
            format!("{left},{right}")
        }
        value if value >= 100.0 => format!("{value:.0}"),
        value => format!("{value:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::gateway::cases::CASES;

    fn figures(values: &[f64], failed: u64) -> Figures {
        Figures { columns: &["requests/s", "µs each"], values: values.to_vec(), failed }
    }

    #[test]
    fn a_missing_peer_is_named_and_shares_are_ours_to_theirs() {
        let rows = [
            (Peer::Seaworthy, Ok(figures(&[40_000.0, 20.0], 0))),
            (Peer::Nginx, Ok(figures(&[50_000.0, 16.0], 1))),
            (Peer::Haproxy, Err("`haproxy` is not here".to_owned())),
        ];
        let text = table(&CASES[0], &rows);
        assert!(text.contains("| seaworthy | 40,000 | 20.0 | 1.00 / 1.00 | 0 |"), "{text}");
        assert!(text.contains("| nginx | 50,000 | 16.0 | 0.80 / 1.25 | 1 |"), "{text}");
        assert!(text.contains("| HAProxy | not measured: `haproxy` is not here |"), "{text}");
    }

    #[test]
    fn the_median_is_of_each_figure_and_failures_add_up() {
        let runs = [figures(&[3.0, 9.0], 1), figures(&[1.0, 8.0], 0), figures(&[2.0, 7.0], 2)];
        assert_eq!(median(&runs), Some(figures(&[2.0, 8.0], 3)));
        assert_eq!(median(&[]), None);
    }
}
