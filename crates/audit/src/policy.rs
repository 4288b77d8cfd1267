//! A policy: what a team or company has decided for its projects, as data in a file of its own.

mod company;
mod read;

use seaworthy_project::{FileId, Problem, Sources};

use crate::{Rule, Severity, Waiver};

pub(crate) use company::check as check_company;

/// The name of the policy file, beside the Compose file.
pub const POLICY_FILE: &str = "seaworthy.policy.yaml";

/// Rules that need a policy to say what is asked for.
pub const COMPANY_RULES: &[Rule] = &[company::MISSING_LABEL, company::REGISTRY_NOT_ALLOWED];

/// What was decided, for one environment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy {
    /// Findings that may stay.
    pub waivers: Vec<Waiver>,
    /// How much a rule's findings matter here.
    pub severities: Vec<(&'static str, Severity)>,
    /// Labels that every service bears.
    pub labels: Vec<String>,
    /// Where images may come from; everywhere when nothing is named.
    pub registries: Vec<String>,
    /// From which severity on a check fails.
    pub fail_on: Option<Threshold>,
}

/// From which severity on a check fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// From this one on.
    At(Severity),
    /// Whatever is found.
    Never,
}

impl Default for Threshold {
    fn default() -> Self {
        Self::At(Severity::High)
    }
}

impl Threshold {
    /// The threshold of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "never" { Some(Self::Never) } else { Severity::from_name(name).map(Self::At) }
    }

    /// Whether a finding of that severity fails the check.
    pub fn is_reached(self, severity: Severity) -> bool {
        matches!(self, Self::At(least) if severity >= least)
    }
}

impl Policy {
    /// Reads the policy in a file among `sources`, as it counts for an environment: what is right in it, and everything that
    /// is wrong, with its place.
    pub fn read(file: FileId, sources: &Sources, environment: &str) -> (Self, Vec<Problem>) {
        read::read(file, sources, environment)
    }
}
