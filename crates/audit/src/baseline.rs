//! A baseline: findings that were known on a day, so that only what is new or worse makes a check fail.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::review::{Review, Reviewed};
use crate::{Finding, Severity};

/// The version of the form.
const VERSION: u32 = 1;

/// Bytes of a fingerprint: enough that no two findings of one repository share it.
const FINGERPRINT_BYTES: usize = 16;

/// Findings that were known on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    known: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    project: String,
    severity: Severity,
}

/// Why a baseline cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not the JSON that `--write-baseline` writes.
    #[error("it is no baseline")]
    Form(#[source] serde_json::Error),
    /// It was written by a newer version of the program.
    #[error("it has version {0}, which is not known")]
    Version(u32),
    /// One of its severities is not known.
    #[error("`{0}` is no severity")]
    Severity(String),
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    findings: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    fingerprint: String,
    project: String,
    id: String,
    severity: String,
}

/// What tells a finding from every other, whatever its lines and words: the project, the rule, the key, the evidence.
pub fn fingerprint(project: &str, finding: &Finding) -> String {
    let digest = Sha256::digest(format!("{project}\0{}", finding.identity()).as_bytes());
    let mut text = String::with_capacity(2 * FINGERPRINT_BYTES);
    for byte in digest.iter().take(FINGERPRINT_BYTES) {
        for half in [byte >> 4, byte & 0xf] {
            text.extend(char::from_digit(half.into(), 16));
        }
    }
    text
}

impl Baseline {
    /// Reads what [`baseline`] wrote.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        let file: File = serde_json::from_str(text).map_err(BaselineError::Form)?;
        if file.version != VERSION {
            return Err(BaselineError::Version(file.version));
        }
        let mut known = BTreeMap::new();
        for line in file.findings {
            let severity =
                Severity::from_name(&line.severity).ok_or(BaselineError::Severity(line.severity))?;
            known.insert(line.fingerprint, Entry { project: line.project, severity });
        }
        Ok(Self { known })
    }

    /// Whether a finding was known, and is no worse than it was.
    pub(crate) fn knows(&self, project: &str, finding: &Finding) -> bool {
        let entry = self.known.get(&fingerprint(project, finding));
        entry.is_some_and(|entry| finding.severity <= entry.severity)
    }

    /// How many it knows of a project that are not among its findings any more.
    pub(crate) fn gone(&self, project: &str, items: &[Reviewed]) -> usize {
        let left: std::collections::BTreeSet<String> =
            items.iter().map(|item| fingerprint(project, &item.finding)).collect();
        let mine = self.known.iter().filter(|(_, entry)| entry.project == project);
        mine.filter(|(fingerprint, _)| !left.contains(*fingerprint)).count()
    }
}

/// Everything that is not waived, as a file to keep beside the project. It holds no line of any file.
pub fn baseline(reviews: &[&Review]) -> String {
    let mut findings: Vec<Line> = Vec::new();
    for review in reviews {
        let waived = |item: &&Reviewed| matches!(item.standing, crate::review::Standing::Waived(_));
        findings.extend(review.items.iter().filter(|item| !waived(item)).map(|item| Line {
            fingerprint: fingerprint(&review.name, &item.finding),
            project: review.name.clone(),
            id: item.finding.identity(),
            severity: item.finding.severity.to_string(),
        }));
    }
    findings.sort_by(|one, other| (&one.project, &one.id).cmp(&(&other.project, &other.id)));
    let file = File { version: VERSION, findings };
    serde_json::to_string_pretty(&file).expect("texts and numbers can always be written as JSON") + "\n"
}
