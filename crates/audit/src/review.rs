//! A review: what was found, held against what people have decided about it.

mod told;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use seaworthy_project::{FileId, Problem, Project, ServiceName, Sources};

use crate::baseline::Baseline;
use crate::policy::{self, Policy, Threshold};
use crate::waiver::{self, Waiver};
use crate::{Context, Finding, Findings, Fix};

pub use told::{ABSENT, Absent};
pub(crate) use told::{by_service, lacking};

/// What a review goes by.
#[derive(Debug, Clone, Copy)]
pub struct Given<'given> {
    /// The text of the policy file, where there is one.
    pub policy: Option<Written<'given>>,
    /// The text of the settings of compose-lint, where there are some.
    pub compose_lint: Option<Written<'given>>,
    /// What was known before.
    pub baseline: Option<&'given Baseline>,
    /// Which day it is.
    pub today: Date,
    /// What tells the project from others in one report: its folder, or its file.
    pub name: &'given str,
    /// The folder from which reports name files.
    pub root: &'given Path,
}

/// A file with its text.
#[derive(Debug, Clone, Copy)]
pub struct Written<'given> {
    /// Its path, as reports name it.
    pub path: &'given Path,
    /// Its text.
    pub text: &'given str,
}

/// What was found in one project, and what counts of it.
#[derive(Debug, Clone)]
pub struct Review {
    /// What tells the project from others in one report.
    pub name: String,
    /// The environment it was looked at for.
    pub environment: String,
    /// Its services, in the order written.
    pub services: Vec<ServiceName>,
    /// Its files, with paths as reports name them.
    pub sources: Sources,
    /// What was found, worst first.
    pub items: Vec<Reviewed>,
    /// Waivers of ours that nothing was found for.
    pub unused: Vec<Waiver>,
    /// What is wrong in waivers and policy, in the files of `sources`: whether all was decided as people meant is not known.
    pub problems: Vec<Problem>,
    /// How many findings of the baseline are gone.
    pub gone: usize,
    /// What the policy says.
    pub policy: Policy,
}

/// A finding and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Reviewed {
    /// What was found.
    pub finding: Finding,
    /// Whether it counts.
    pub standing: Standing,
}

/// Whether a finding counts.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// It counts.
    Open,
    /// It counts again: its waiver's last day is over.
    Expired(Waiver),
    /// It may stay.
    Waived(Waiver),
    /// It was known before, and no worse.
    Known,
}

impl Standing {
    /// In lower case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Expired(_) => "expired",
            Self::Waived(_) => "waived",
            Self::Known => "known",
        }
    }

    /// The waiver, where there is one.
    pub fn waiver(&self) -> Option<&Waiver> {
        match self {
            Self::Expired(waiver) | Self::Waived(waiver) => Some(waiver),
            Self::Open | Self::Known => None,
        }
    }
}

impl Reviewed {
    /// Whether it counts.
    pub fn counts(&self) -> bool {
        matches!(self.standing, Standing::Open | Standing::Expired(_))
    }
}

impl Review {
    /// Of findings that nobody has decided anything about.
    pub fn plain(findings: &Findings, project: &Project) -> Self {
        let open = |finding: &Finding| Reviewed { finding: finding.clone(), standing: Standing::Open };
        Self {
            name: String::new(),
            environment: project.environment.to_string(),
            services: project.services.keys().cloned().collect(),
            sources: project.sources.clone(),
            items: findings.iter().map(open).collect(),
            unused: Vec::new(),
            problems: Vec::new(),
            gone: 0,
            policy: Policy::default(),
        }
    }

    /// What counts, worst first, each by itself.
    pub fn counted(&self) -> impl Iterator<Item = &Finding> {
        self.items.iter().filter(|item| item.counts()).map(|item| &item.finding)
    }

    /// Whether a finding, or the point of it that a fix settles, is nobody's decision to let stay.
    pub fn may_mend(&self, finding: &Finding, fix: Option<&Fix>) -> bool {
        let identity = finding.identity();
        let Some(item) = self.items.iter().find(|item| item.finding.identity() == identity) else {
            return true;
        };
        let point = fix.and_then(|fix| fix.point);
        !matches!(item.standing, Standing::Waived(_))
            && point.is_none_or(|point| item.finding.points.contains(&point))
    }

    /// Whether something counts that reaches the threshold.
    pub fn fails(&self, threshold: Threshold) -> bool {
        self.counted().any(|finding| threshold.is_reached(finding.severity))
    }
}

/// Holds findings against policy, waivers and baseline.
///
/// What is wrong in them, such as a waiver without a reason or a rule that does not exist, is a problem of the review;
/// what was found is told all the same, and the other waivers count.
pub fn review(project: &Project, findings: Findings, given: &Given<'_>) -> Review {
    let mut sources = named_from(&project.sources, &project.directory, given.root);
    let mut add = |written: Written<'_>| sources.add(written.path.to_owned(), written.text.to_owned());
    let policy_file = given.policy.map(&mut add);
    let settings_file = given.compose_lint.map(&mut add);
    let (policy, mut waivers, problems) = decided(project, policy_file, settings_file, &sources);
    for waiver in &mut waivers {
        if let waiver::Reach::Project { file: Some(file), .. } = &mut waiver.reach {
            *file = named(file, &project.directory, given.root);
        }
    }
    let all = ranked(project, findings, &policy);
    let mut used = BTreeSet::new();
    let mut judge = Judge { waivers: &waivers, sources: &sources, used: &mut used, given };
    let items: Vec<Reviewed> = all.into_iter().map(|finding| judge.judge(finding)).collect();
    let gone = given.baseline.map_or(0, |baseline| baseline.gone(given.name, &items));
    let unused = waivers
        .iter()
        .enumerate()
        .filter(|(at, waiver)| !used.contains(at) && !matches!(waiver.origin, waiver::Origin::Foreign(_)));
    Review {
        name: given.name.to_owned(),
        environment: project.environment.to_string(),
        services: project.services.keys().cloned().collect(),
        items,
        unused: unused.map(|(_, waiver)| waiver.clone()).collect(),
        problems,
        gone,
        sources,
        policy,
    }
}

/// The files of a project in `directory` with their paths as seen from `root`; every id of a file stays what it is.
pub fn named_from(sources: &Sources, directory: &Path, root: &Path) -> Sources {
    let mut all = Sources::default();
    for (_, source) in sources.iter() {
        all.add(named(&source.path, directory, root), source.text.clone());
    }
    all
}

/// A path as seen from `root`; what lies elsewhere keeps the name it has.
fn named(path: &Path, directory: &Path, root: &Path) -> PathBuf {
    directory.join(path).strip_prefix(root).unwrap_or(path).to_owned()
}

fn decided(
    project: &Project,
    policy: Option<FileId>,
    settings: Option<FileId>,
    sources: &Sources,
) -> (Policy, Vec<Waiver>, Vec<Problem>) {
    let mut read = waiver::in_comments(project);
    let policy = policy.map(|file| Policy::read(file, sources, project.environment.as_str()));
    let (policy, problems) = policy.unwrap_or_default();
    read.problems.extend(problems);
    if let Some(file) = settings {
        let theirs = waiver::compose_lint_waivers(file, sources);
        read.waivers.extend(theirs.waivers);
        read.problems.extend(theirs.problems);
    }
    read.waivers.extend(policy.waivers.iter().cloned());
    (policy, read.waivers, read.problems)
}

/// All findings with the severities of the policy, worst first.
fn ranked(project: &Project, findings: Findings, policy: &Policy) -> Vec<Finding> {
    let mut companys = Findings::default();
    if !policy.labels.is_empty() || !policy.registries.is_empty() {
        policy::check_company(&Context::new(project), policy, &mut companys);
    }
    let mut all: Vec<Finding> = findings.into_iter().chain(companys).collect();
    for finding in &mut all {
        if let Some((_, severity)) = policy.severities.iter().find(|(rule, _)| *rule == finding.rule.id) {
            finding.severity = *severity;
        }
    }
    all.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    all
}

struct Judge<'judge> {
    waivers: &'judge [Waiver],
    sources: &'judge Sources,
    used: &'judge mut BTreeSet<usize>,
    given: &'judge Given<'judge>,
}

impl Judge<'_> {
    fn judge(&mut self, mut finding: Finding) -> Reviewed {
        let about: Vec<(usize, &Waiver)> = self
            .waivers
            .iter()
            .enumerate()
            .filter(|(_, waiver)| waiver.covers(&finding, self.sources))
            .collect();
        self.used.extend(about.iter().map(|(at, _)| *at));
        let (old, counting): (Vec<&Waiver>, Vec<&Waiver>) = about
            .into_iter()
            .map(|(_, waiver)| waiver)
            .partition(|waiver| waiver.is_expired(self.given.today));
        let standing = if let Some(waiver) = waived_by(&mut finding, &counting) {
            Standing::Waived(waiver)
        } else if self.given.baseline.is_some_and(|baseline| baseline.knows(self.given.name, &finding)) {
            Standing::Known
        } else {
            old.first().map_or(Standing::Open, |waiver| Standing::Expired((*waiver).clone()))
        };
        Reviewed { finding, standing }
    }
}

/// The waiver of the whole finding. Where waivers are about single points, these are taken out of it.
fn waived_by(finding: &mut Finding, waivers: &[&Waiver]) -> Option<Waiver> {
    if let Some(whole) = waivers.iter().find(|waiver| waiver.points.is_empty()) {
        return Some((*whole).clone());
    }
    let before = finding.points.len();
    let is_waived =
        |point: &str| waivers.iter().any(|waiver| waiver.points.iter().any(|waived| waived == point));
    if !finding.points.iter().any(|point| is_waived(point)) {
        return None;
    }
    if finding.points.iter().all(|point| is_waived(point)) {
        return waivers.first().map(|waiver| (*waiver).clone());
    }
    finding.waived =
        finding.points.iter().filter(|point| is_waived(point)).map(ToString::to_string).collect();
    let waived: Vec<String> = finding.waived.iter().map(|point| format!("`{point}`")).collect();
    finding.points.retain(|point| !is_waived(point));
    finding.fixes.retain(|fix| fix.point.is_none_or(|point| !is_waived(point)));
    debug_assert!(finding.points.len() < before, "some were waived");
    finding.help.push_str(&format!(" Waived is {}.", waived.join(", ")));
    None
}
