//! Hardening: applies the fixes of what was found, and keeps only those that provably do what they say.

pub(crate) mod changes;

use seaworthy_project::{Loaded, Project};

use crate::{Finding, Findings, Fix, Level, RULES, check, overlay};

/// Rounds of checking and fixing; one fix may make another possible (a health check, then waiting for it).
const MAX_ROUNDS: usize = 8;

/// What hardening made of the overlay.
#[derive(Debug, Clone, PartialEq)]
pub struct Hardened {
    /// The overlay as it should be; `None` when there is none and nothing to write into one.
    pub text: Option<String>,
    /// What was settled, in the order it was done.
    pub applied: Vec<Applied>,
    /// What is left for a person, worst first. A finding whose fixes reach further than the level asked for still has them.
    pub by_hand: Vec<Finding>,
    /// Fixes that could not be made, and why; their findings are among [`by_hand`](Self::by_hand) too.
    pub refused: Vec<Refused>,
}

/// A fix that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// What it settles.
    pub finding: Finding,
    /// What was written.
    pub fix: Fix,
}

/// A fix that was not made.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// What it would have settled.
    pub finding: Finding,
    /// The fix.
    pub fix: Fix,
    /// Why not, as a sentence.
    pub reason: String,
}

struct Candidate {
    finding: Finding,
    fix: Fix,
}

/// The work in progress: the overlay so far and what the project is with it.
struct Bench<'reload> {
    text: Option<String>,
    project: Project,
    findings: Findings,
    reload: &'reload dyn Fn(&str) -> Loaded,
}

/// Applies every fix up to `level` to the overlay. `reload` loads the project with the overlay it is given.
/// A fix is dropped after which the project does not load, the finding stays, or anything else changes.
pub fn harden(
    project: &Project,
    overlay_text: Option<&str>,
    reload: &dyn Fn(&str) -> Loaded,
    level: Level,
) -> Hardened {
    harden_where(project, overlay_text, reload, level, &|_, _| true)
}

/// As [`harden`], but leaves alone what `may` says no to, such as what people have waived.
pub fn harden_where(
    project: &Project,
    overlay_text: Option<&str>,
    reload: &dyn Fn(&str) -> Loaded,
    level: Level,
    may: &dyn Fn(&Finding, Option<&Fix>) -> bool,
) -> Hardened {
    let mut bench = Bench {
        text: overlay_text.map(str::to_owned),
        project: project.clone(),
        findings: check(project),
        reload,
    };
    let mut applied = Vec::new();
    let mut refused: Vec<Refused> = Vec::new();
    for _ in 0..MAX_ROUNDS {
        let tried = |candidate: &Candidate| refused.iter().any(|refused| is_same(candidate, refused));
        let mut candidates = candidates(&bench.findings, level);
        candidates.retain(|candidate| !tried(candidate) && may(&candidate.finding, Some(&candidate.fix)));
        candidates.sort_by_key(|candidate| reading_order(project, &candidate.finding));
        if candidates.is_empty() {
            break;
        }
        bench.round(candidates, &mut applied, &mut refused);
    }
    refused.retain(|refused| bench.findings.find(&refused.finding.identity()).is_some());
    let by_hand = bench.findings.iter().filter(|finding| may(finding, None)).cloned().collect();
    Hardened { text: bench.text, applied, by_hand, refused }
}

fn candidates(findings: &Findings, level: Level) -> Vec<Candidate> {
    let of = |finding: &Finding| {
        let fixes = finding.fixes.iter().filter(|fix| fix.level <= level);
        fixes.map(|fix| Candidate { finding: finding.clone(), fix: fix.clone() }).collect::<Vec<_>>()
    };
    findings.iter().flat_map(of).collect()
}

/// Services in the order of the project, and within one the order of the rules: so the overlay reads well.
fn reading_order(project: &Project, finding: &Finding) -> (usize, usize) {
    let service = finding.place.service.as_ref().and_then(|name| project.services.get_index_of(name));
    let rule = RULES.iter().position(|rule| rule == finding.rule);
    (service.unwrap_or(usize::MAX), rule.unwrap_or(usize::MAX))
}

fn is_same(candidate: &Candidate, refused: &Refused) -> bool {
    refused.finding.identity() == candidate.finding.identity() && refused.fix.edits == candidate.fix.edits
}

impl Bench<'_> {
    /// Tries all candidates at once, and one by one when that does not hold.
    fn round(&mut self, candidates: Vec<Candidate>, applied: &mut Vec<Applied>, refused: &mut Vec<Refused>) {
        let mut possible = Vec::new();
        for Candidate { finding, fix } in candidates {
            match overlay::apply(self.text.as_deref(), std::slice::from_ref(&fix)) {
                Ok(_) => possible.push(Candidate { finding, fix }),
                Err(error) => refused.push(Refused { finding, fix, reason: error.to_string() }),
            }
        }
        let all: Vec<&Candidate> = possible.iter().collect();
        if self.attempt(&all).is_ok() {
            applied.extend(possible.into_iter().map(|Candidate { finding, fix }| Applied { finding, fix }));
            return;
        }
        for candidate in possible {
            // Another finding of the same cause may have settled it by the same edits.
            let outcome =
                if is_settled(&candidate, &self.findings) { Ok(()) } else { self.attempt(&[&candidate]) };
            match outcome {
                Ok(()) => applied.push(Applied { finding: candidate.finding, fix: candidate.fix }),
                Err(reason) => {
                    refused.push(Refused { finding: candidate.finding, fix: candidate.fix, reason })
                }
            }
        }
    }

    /// Makes the edits and keeps them only when they hold.
    fn attempt(&mut self, candidates: &[&Candidate]) -> Result<(), String> {
        let fixes: Vec<Fix> = candidates.iter().map(|candidate| candidate.fix.clone()).collect();
        let text = overlay::apply(self.text.as_deref(), &fixes).map_err(|error| error.to_string())?;
        if self.text.as_deref() == Some(text.as_str()) {
            return Err("the overlay says so already, and a later file or the service itself overrules it."
                .to_owned());
        }
        let loaded = (self.reload)(&text);
        let Some(project) = loaded.project else {
            let problem =
                loaded.problems.first().map_or("it does not say why", |problem| problem.message.as_str());
            return Err(format!("the project would not load with it: {}.", problem.trim_end_matches('.')));
        };
        let findings = check(&project);
        if let Some(left) = candidates.iter().find(|candidate| !is_settled(candidate, &findings)) {
            return Err(format!("`{}` would still be found with it.", left.finding.rule.id));
        }
        if let Some(new) = findings.iter().find(|finding| self.is_new(finding)) {
            return Err(format!("it would raise `{}`.", new.rule.id));
        }
        let edits = fixes.iter().flat_map(|fix| &fix.edits);
        if let Some(key) = changes::unintended(&self.project.node, &project.node, edits) {
            return Err(format!("it would also change `{key}`."));
        }
        self.text = Some(text);
        self.project = project;
        self.findings = findings;
        Ok(())
    }

    fn is_new(&self, finding: &Finding) -> bool {
        self.findings.find(&finding.identity()).is_none_or(|before| before.severity < finding.severity)
    }
}

fn is_settled(candidate: &Candidate, findings: &Findings) -> bool {
    match (findings.find(&candidate.finding.identity()), candidate.fix.point) {
        (None, _) => true,
        (Some(left), Some(point)) => !left.points.contains(&point),
        (Some(_), None) => false,
    }
}
