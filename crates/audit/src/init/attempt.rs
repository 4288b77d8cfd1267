//! Tries proposals: what does not load, or changes more than it says, is left out.

use seaworthy_project::Project;

use super::{Decision, Proposal, Start};
use crate::harden::changes;
use crate::{Edit, Fix, Level, overlay};

/// The overlay so far, and what the project is with it.
pub(super) struct Begun {
    pub(super) text: Option<String>,
    pub(super) project: Project,
}

/// Makes all proposals at once, and one by one when that does not hold.
pub(super) fn attempt(start: &Start<'_>, proposals: Vec<Proposal>, decisions: &mut Vec<Decision>) -> Begun {
    let mut begun = Begun { text: start.overlay.map(str::to_owned), project: start.project.clone() };
    let all: Vec<Edit> = proposals.iter().flat_map(|proposal| proposal.edits.clone()).collect();
    if begun.make(start, all) {
        decisions.extend(proposals.into_iter().filter_map(|proposal| proposal.decision));
        return begun;
    }
    for proposal in proposals {
        if begun.make(start, proposal.edits) {
            decisions.extend(proposal.decision);
        }
    }
    begun
}

impl Begun {
    /// Makes the edits if they hold; whether the overlay says them now.
    fn make(&mut self, start: &Start<'_>, edits: Vec<Edit>) -> bool {
        if edits.is_empty() {
            return true;
        }
        let fix = Fix::new(Level::BehaviourChanging, edits);
        let Ok(text) = overlay::apply(self.text.as_deref(), std::slice::from_ref(&fix)) else { return false };
        if self.text.as_deref() == Some(text.as_str()) {
            return true;
        }
        let Some(project) = (start.reload)(&text).project else { return false };
        if changes::unintended(&self.project.node, &project.node, fix.edits.iter()).is_some() {
            return false;
        }
        self.text = Some(text);
        self.project = project;
        true
    }
}
