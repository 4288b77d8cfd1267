//! The page that tells where others treat a request otherwise, and why; it is written from what was seen.
//! `SEAWORTHY_BLESS=1` writes it anew.

use std::path::Path;

const BEGIN: &str = "| request | here | nginx | HAProxy | why |\n| --- | --- | --- | --- | --- |\n";

/// Requests with a body at fault, by how their names begin: whether that is found before the head was passed on, or after, is a
/// matter of moments. What was seen of them once stands on the page, and is not held against it.
const BODIES: [&str; 6] = ["chunk-", "extension-", "last-chunk-", "body-", "trailer-", "folded-trailer"];

fn is_steady(name: &str) -> bool {
    !BODIES.iter().any(|begin| name.starts_with(begin))
}

fn name(line: &str) -> &str {
    line.split('`').nth(1).unwrap_or_default()
}

/// The lines of a table that are always the same.
fn steady(table: &str) -> Vec<&str> {
    table.lines().filter(|line| is_steady(name(line))).collect()
}

/// Why the gateway does as it does, by the name of the request.
fn reasons() -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("reasons.txt").lines();
    let told = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    told.map(|line| line.split_once("  ").map(|(name, why)| (name, why.trim_start())).unwrap()).collect()
}

/// Holds the page against what was seen, where it was the versions that the page speaks of: whether it was.
pub(super) fn compare(versions: &[String; 2], requests: usize, rows: &[(String, [String; 3])]) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/gateway-differences.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has its table");
    let after = rest.find("\n\n").map_or("\n", |at| &rest[at..]);
    let reasons = reasons();
    let mut table = String::new();
    let mut unexplained = Vec::new();
    for (name, [ours, nginx, haproxy]) in rows {
        let why = reasons.iter().find(|(known, _)| known == name).map(|(_, why)| *why);
        if why.is_none() && is_steady(name) {
            unexplained.push(format!("{name} | {ours} | {nginx} | {haproxy}"));
        }
        table.push_str(&format!("| `{name}` | {ours} | {nginx} | {haproxy} | {} |\n", why.unwrap_or("?")));
    }
    let seen = format!("{requests} requests, {} and {}", versions[0], versions[1]);
    if std::env::var_os("SEAWORTHY_BLESS").is_some() {
        let (title, _) = before.split_once("Seen with: ").expect("the page says with what it was seen");
        let text = format!("{title}Seen with: {seen}.\n\n{BEGIN}{}{after}", table.trim_end());
        std::fs::write(&path, text).unwrap();
    } else if before.contains(&format!("Seen with: {seen}.")) {
        let told = &rest[..rest.len() - after.len()];
        assert_eq!(steady(told), steady(&table), "look at the difference; `SEAWORTHY_BLESS=1` accepts it");
    }
    assert!(unexplained.is_empty(), "say why in `reasons.txt`: {unexplained:#?}");
    let unused: Vec<_> = reasons
        .iter()
        .filter(|(known, _)| is_steady(known) && !rows.iter().any(|(name, _)| name == known))
        .collect();
    let ours = before.contains(&format!("Seen with: {seen}."));
    assert!(unused.is_empty() || !ours, "these are no differences: {unused:#?}");
    ours
}
