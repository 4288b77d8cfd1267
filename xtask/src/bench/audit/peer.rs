//! Other checkers: how each is asked, and where in its answer a finding says its file and line.

use std::error::Error;
use std::io::{Read, Seek};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::str::FromStr;

use serde_json::Value;

use super::sample::{Sample, kind};
use super::table::Row;

/// A checker and where it lies.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    how: &'static How,
    program: PathBuf,
}

/// Something a checker said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) file: String,
    pub(super) line: u64,
    /// Whether it is about the whole file, not about a line.
    pub(super) of_the_file: bool,
}

/// How one checker is used.
#[derive(Debug)]
struct How {
    name: &'static str,
    kinds: &'static [&'static str],
    arguments: &'static [&'static str],
    read: fn(&str, &str) -> Option<Vec<Hit>>,
}

static ALL: [How; 7] = [
    How {
        name: "compose-lint",
        kinds: &["Compose"],
        arguments: &["--format", "json"],
        read: |text, file| json(text, file, compose_lint),
    },
    How {
        name: "dclint",
        kinds: &["Compose"],
        arguments: &["-f", "json"],
        read: |text, file| json(text, file, dclint),
    },
    How { name: "dotenv-linter", kinds: &[".env"], arguments: &["check", "--plain"], read: dotenv_linter },
    How {
        name: "hadolint",
        kinds: &["Dockerfile"],
        arguments: &["--no-fail", "-f", "json"],
        read: |text, file| json(text, file, hadolint),
    },
    How {
        name: "tally",
        kinds: &["Dockerfile"],
        arguments: &["lint", "--format", "json", "--slow-checks", "off"],
        read: |text, file| json(text, file, tally),
    },
    How {
        name: "checkov",
        kinds: &["Compose", "Dockerfile", ".env"],
        arguments: &["--skip-download", "--compact", "--quiet", "-o", "json", "-f"],
        read: |text, file| json(text, file, checkov),
    },
    How {
        name: "trivy",
        kinds: &["Compose", "Dockerfile", ".env"],
        arguments: &["config", "--skip-check-update", "-q", "--format", "json"],
        read: |text, file| json(text, file, trivy),
    },
];

impl FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, program) = text.split_once('=').ok_or("it is written NAME=PATH")?;
        let how = ALL.iter().find(|how| how.name == name);
        let names = ALL.iter().map(|how| how.name).collect::<Vec<_>>().join(", ");
        let how = how.ok_or_else(|| format!("`{name}` is none of {names}"))?;
        let program = std::path::absolute(program).map_err(|error| error.to_string())?;
        if !program.is_file() {
            return Err(format!("`{}` is not there", program.display()));
        }
        Ok(Self { how, program })
    }
}

impl Peer {
    pub(super) fn name(&self) -> &'static str {
        self.how.name
    }

    pub(super) fn path(&self) -> Result<&str, Box<dyn Error>> {
        Ok(self.program.to_str().ok_or("the path of a peer is not text.")?)
    }

    /// What it says of each file of its kinds. What it cannot read is counted in the row.
    pub(super) fn hits(&self, sample: &Sample, row: &mut Row) -> Result<Vec<Hit>, Box<dyn Error>> {
        let mut hits = Vec::new();
        for file in sample.files.iter().filter(|file| self.how.kinds.contains(&kind(file))) {
            let (text, is_success) = self.answer(file, sample)?;
            match (self.how.read)(&text, file) {
                Some(said) => hits.extend(said),
                None if text.is_empty() && is_success => {}
                None => row.unread += 1,
            }
        }
        Ok(hits)
    }

    /// What it writes about a file, and whether it is content. It writes into a file: some end before a pipe has been read.
    fn answer(&self, file: &str, sample: &Sample) -> Result<(String, bool), Box<dyn Error>> {
        let mut output = tempfile::tempfile()?;
        let status = Command::new(&self.program)
            .args(self.how.arguments)
            .arg(file)
            .current_dir(&sample.folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(Stdio::null())
            .status()?;
        output.rewind()?;
        let mut bytes = Vec::new();
        output.read_to_end(&mut bytes)?;
        Ok((String::from_utf8_lossy(&bytes).into_owned(), status.success()))
    }
}

/// An answer in JSON; none where it is not.
fn json(text: &str, file: &str, read: fn(&Value, &str) -> Vec<Hit>) -> Option<Vec<Hit>> {
    serde_json::from_str(text).ok().map(|answer| read(&answer, file))
}

fn each<'value>(value: &'value Value, key: &str) -> impl Iterator<Item = &'value Value> {
    value[key].as_array().into_iter().flatten()
}

fn hit(file: &str, line: &Value) -> Hit {
    let line = line.as_u64().unwrap_or_default();
    Hit { file: file.to_owned(), line, of_the_file: line == 0 }
}

fn compose_lint(answer: &Value, file: &str) -> Vec<Hit> {
    each(answer, "findings").map(|finding| hit(file, &finding["line"])).collect()
}

fn dclint(answer: &Value, file: &str) -> Vec<Hit> {
    let files = answer.as_array().into_iter().flatten();
    files.flat_map(|one| each(one, "messages")).map(|message| hit(file, &message["line"])).collect()
}

/// Lines such as `web.env:3 DuplicatedKey: …`; it knows no format for programs. Its last lines are about itself.
fn dotenv_linter(text: &str, file: &str) -> Option<Vec<Hit>> {
    let said = |line: &str| {
        let number = line.split_once(' ')?.0.rsplit_once(':')?.1;
        number.parse::<u64>().ok().map(|line| hit(file, &Value::from(line)))
    };
    Some(text.lines().filter_map(said).collect())
}

fn hadolint(answer: &Value, file: &str) -> Vec<Hit> {
    answer.as_array().into_iter().flatten().map(|finding| hit(file, &finding["line"])).collect()
}

fn tally(answer: &Value, file: &str) -> Vec<Hit> {
    let violations = each(answer, "files").flat_map(|one| each(one, "violations"));
    violations.map(|violation| hit(file, &violation["location"]["start"]["line"])).collect()
}

/// One report, or a list of one for each sort of file.
fn checkov(answer: &Value, file: &str) -> Vec<Hit> {
    let reports = answer.as_array().cloned().unwrap_or_else(|| vec![answer.clone()]);
    let failed = reports.iter().flat_map(|report| each(&report["results"], "failed_checks"));
    failed
        .map(|check| {
            let said = &check["check_result"]["results_configuration"];
            let instruction = said.get(0).unwrap_or(said);
            match instruction["startline"].as_u64() {
                // It counts lines from nought there.
                Some(line) => hit(file, &Value::from(line + 1)),
                None => {
                    let range = &check["file_line_range"];
                    let whole = range[0] != range[1];
                    Hit { of_the_file: whole, ..hit(file, &range[0]) }
                }
            }
        })
        .collect()
}

fn trivy(answer: &Value, file: &str) -> Vec<Hit> {
    let faults = each(answer, "Results").flat_map(|result| each(result, "Misconfigurations"));
    faults.map(|fault| hit(file, &fault["CauseMetadata"]["StartLine"])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, answer: &str) -> Vec<(u64, bool)> {
        let how = ALL.iter().find(|how| how.name == name).unwrap();
        let hits = (how.read)(answer, "a").unwrap();
        hits.iter().map(|hit| (hit.line, hit.of_the_file)).collect()
    }

    #[test]
    fn each_answer_is_read() {
        assert_eq!(
            read("compose-lint", r#"{"findings":[{"line":5},{"line":null}]}"#),
            [(5, false), (0, true)]
        );
        assert_eq!(read("dclint", r#"[{"messages":[{"line":11}]}]"#), [(11, false)]);
        let dotenv = "a/.env:3 LowercaseKey: The x key should be in uppercase\n\nFound 1 problem\n";
        assert_eq!(read("dotenv-linter", dotenv), [(3, false)]);
        assert_eq!(read("hadolint", r#"[{"line":3}]"#), [(3, false)]);
        let tally = r#"{"files":[{"violations":[{"location":{"start":{"line":3}}}]}]}"#;
        assert_eq!(read("tally", tally), [(3, false)]);
        let one = r#"{"results":{"failed_checks":[{"check_result":{"results_configuration":[{"startline":24}]}}]}}"#;
        assert_eq!(read("checkov", one), [(25, false)]);
        let whole = r#"[{"results":{"failed_checks":[{"file_line_range":[1,31]}]}}]"#;
        assert_eq!(read("checkov", whole), [(1, true)]);
        let trivy =
            r#"{"Results":[{"Misconfigurations":[{"CauseMetadata":{"StartLine":7}},{"CauseMetadata":{}}]}]}"#;
        assert_eq!(read("trivy", trivy), [(7, false), (0, true)]);
        assert!("tally=/nowhere/at/all".parse::<Peer>().is_err() && "other=/bin/sh".parse::<Peer>().is_err());
    }
}
