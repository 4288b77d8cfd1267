//! A rule: a value that carries its own explanation and its own proof.

use std::fmt;

use crate::{Context, Findings};

/// One thing that makes a project unfit for production.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Its name, for what it flags; also its file's name.
    pub id: &'static str,
    /// How much it matters, where no grade says otherwise.
    pub severity: Severity,
    /// When it matters more, or less.
    pub grades: &'static [Grade],
    /// The family, and its folder's name.
    pub group: Group,
    /// One line, without a full stop.
    pub summary: &'static str,
    /// Why it matters, as sentences.
    pub why: &'static str,
    /// What to do about it, as sentences.
    pub fix: &'static str,
    /// A project that has it.
    pub bad: &'static str,
    /// The same project without it.
    pub good: &'static str,
    /// Further points of it, each with its proof.
    pub more: &'static [Example],
    /// Public standards that ask for the same: `CIS Docker 1.6, 5.4`.
    pub references: &'static [&'static str],
    /// Looks for it.
    pub check: fn(&Context<'_>, &mut Findings),
}

impl Rule {
    /// All severities that a finding of it can have, worst first.
    pub fn severities(&self) -> Vec<Severity> {
        let has = |severity: &Severity| {
            self.severity == *severity || self.grades.iter().any(|grade| grade.severity == *severity)
        };
        Severity::ALL.into_iter().filter(has).collect()
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({})", self.id)
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

/// A case in which a rule matters more, or less, than usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grade {
    /// How much it matters then.
    pub severity: Severity,
    /// When: goes on after the severity, as in "high where …".
    pub when: &'static str,
}

impl Grade {
    /// That severity, in that case.
    pub const fn new(severity: Severity, when: &'static str) -> Self {
        Self { severity, when }
    }
}

/// A further point of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// What it shows: goes on after "also flagged:".
    pub of: &'static str,
    /// A project that has it.
    pub bad: &'static str,
    /// The same project without it.
    pub good: &'static str,
}

/// How much a finding matters, least first. The attacker assumed is someone who can reach a published port; the engine
/// assumed is a rootful one at its defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Hygiene.
    Low,
    /// Will hurt on a bad day.
    Medium,
    /// Will hurt.
    High,
    /// Gives the machine or the data away.
    Critical,
}

impl Severity {
    /// All of them, worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// In lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == name)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// It may be otherwise: the answer lies in an image that cannot be seen from here.
    Possible,
    /// It follows from a name or a habit.
    Likely,
    /// It is written in the files.
    Certain,
}

impl Confidence {
    /// In lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// A family of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Privilege, isolation, mounts of the host.
    Security,
    /// Credentials.
    Secrets,
    /// What can be reached from where.
    Network,
    /// How an image is built.
    Build,
    /// Which image runs.
    Images,
    /// What must not be lost, and who may read it.
    Data,
    /// Staying up and coming back.
    Reliability,
    /// Memory, processors, disk.
    Resources,
    /// From development to production.
    Delivery,
}

impl Group {
    /// In lower case; the folder's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Secrets => "secrets",
            Self::Network => "network",
            Self::Build => "build",
            Self::Images => "images",
            Self::Data => "data",
            Self::Reliability => "reliability",
            Self::Resources => "resources",
            Self::Delivery => "delivery",
        }
    }
}
