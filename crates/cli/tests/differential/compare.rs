//! Where two answers differ.

use serde_json::Value;

use crate::programs::Answer;

/// The most differences of one project that are told.
const MAX_TOLD: usize = 8;

/// One line for each difference; none when the answers mean the same.
pub fn differences(wanted: &Answer, seen: &Answer) -> Vec<String> {
    match (wanted, seen) {
        (Answer::Refuses(_), Answer::Refuses(_)) => Vec::new(),
        (Answer::Refuses(reason), Answer::Loads(_)) => {
            vec![format!("refused by Compose ({reason}), loaded here")]
        }
        (Answer::Loads(_), Answer::Refuses(reason)) => {
            vec![format!("loaded by Compose, refused here ({reason})")]
        }
        (Answer::Loads(wanted), Answer::Loads(seen)) => {
            let mut found = Vec::new();
            walk(wanted, seen, "", &mut found);
            found.truncate(MAX_TOLD);
            found
        }
    }
}

fn walk(wanted: &Value, seen: &Value, path: &str, found: &mut Vec<String>) {
    match (wanted, seen) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, wanted) in a {
                match b.get(key) {
                    Some(seen) => walk(wanted, seen, &format!("{path}.{key}"), found),
                    None => found.push(format!("{path}.{key}: {wanted} in Compose, absent here")),
                }
            }
            for (key, seen) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
                found.push(format!("{path}.{key}: absent in Compose, {seen} here"));
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (wanted, seen)) in a.iter().zip(b).enumerate() {
                walk(wanted, seen, &format!("{path}[{index}]"), found);
            }
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => {}
        _ if wanted == seen => {}
        _ => found.push(format!("{path}: {wanted} in Compose, {seen} here")),
    }
}
