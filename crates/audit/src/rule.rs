//! A rule: a value that carries its own explanation and its own proof.

use std::fmt;

use crate::{Context, Findings};

/// One thing that makes a project unfit for production.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Its name, for what it flags; also its file's name.
    pub id: &'static str,
    /// How much it matters, where nothing makes it worse.
    pub severity: Severity,
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
    /// Public standards that ask for the same: `CIS Docker 1.6, 5.4`.
    pub references: &'static [&'static str],
    /// Looks for it.
    pub check: fn(&Context<'_>, &mut Findings),
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
