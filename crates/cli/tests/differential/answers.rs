//! The answers of the real program, written down: a file a topic, a line a case.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::case::Case;
use crate::compare;
use crate::programs::{Answer, Program, each};

/// The file that says which version was asked.
const VERSION: &str = "VERSION";

/// How often the real program is asked before its answer counts as another one.
const MOST_ASKED: u32 = 10;

/// Answers by the name of their case.
pub struct Answers {
    pub version: String,
    by_name: BTreeMap<String, Answer>,
}

impl Answers {
    pub fn read(folder: &Path) -> Self {
        let version = fs::read_to_string(folder.join(VERSION)).unwrap_or_default().trim().to_owned();
        let mut by_name = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "jsonl") {
                continue;
            }
            for line in fs::read_to_string(&path).unwrap().lines() {
                let mut line: Value = serde_json::from_str(line).unwrap();
                let answer = match line.get("refuses").and_then(Value::as_str) {
                    Some(message) => Answer::Refuses(message.to_owned()),
                    None => Answer::Loads(line["loads"].take()),
                };
                by_name.insert(line["case"].as_str().unwrap().to_owned(), answer);
            }
        }
        Self { version, by_name }
    }

    /// Asks the real program everything and writes its answers down.
    pub fn write_down(folder: &Path, cases: &[Case], real: &Program) -> Self {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).unwrap();
        let said = each(cases, |case| real.answer(case));
        let mut topics: BTreeMap<&str, String> = BTreeMap::new();
        for (case, answer) in cases.iter().zip(&said) {
            let line = match answer {
                Answer::Loads(model) => json!({ "case": case.name, "loads": model }),
                Answer::Refuses(message) => json!({ "case": case.name, "refuses": message }),
            };
            topics.entry(&case.topic).or_default().push_str(&format!("{line}\n"));
        }
        for (topic, text) in topics {
            fs::write(folder.join(format!("{topic}.jsonl")), text).unwrap();
        }
        fs::write(folder.join(VERSION), format!("{}\n", real.version())).unwrap();
        Self::read(folder)
    }

    pub fn of(&self, case: &Case) -> Option<&Answer> {
        self.by_name.get(&case.name)
    }

    /// Where the real program no longer says what is written down; of refusals the words may change. It walks maps in
    /// an order of chance, so that a few projects have several answers: one of several must be the one written down,
    /// and those that needed more than one are named.
    pub fn differing(&self, cases: &[Case], real: &Program) -> Vec<String> {
        let said = each(cases, |case| {
            let known = self.of(case)?;
            let ask = || compare::differences(known, &real.answer(case));
            let mut asked: Vec<Vec<String>> = Vec::new();
            for _ in 0..MOST_ASKED {
                asked.push(ask());
                if asked.last().is_some_and(Vec::is_empty) {
                    break;
                }
            }
            if asked.len() > 1 && asked.last().is_some_and(Vec::is_empty) {
                println!("{}: Docker Compose gave {} answers at random", case.title(), asked.len());
            }
            let differences = asked.pop()?;
            let told = format!(
                "{}: Docker Compose {} no longer says what is written down: ",
                case.title(),
                real.version()
            );
            (!differences.is_empty()).then(|| told + &differences.join("\n    "))
        });
        said.into_iter().flatten().collect()
    }
}
