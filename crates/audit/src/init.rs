//! Beginning: what a project needs for production, written so that a person only has to fill in and decide.

mod attempt;
mod credentials;
mod decisions;
mod document;
mod framework;
mod kind;
mod stand_in;
mod template;
mod traffic;
mod variables;

use std::path::Path;

use seaworthy_project::{Loaded, Project};

use crate::{Context, Edit, Finding, Fix, Level, harden_where, overlay};

pub use framework::Framework;
pub use kind::Kind;
pub use stand_in::stand_ins;
pub use variables::Variable;

/// A project to begin with, and the ways to look at it again.
pub struct Start<'a> {
    /// The project, loaded with [`stand_ins`] for what nobody has filled in yet.
    pub project: &'a Project,
    /// The overlay that is there.
    pub overlay: Option<&'a str>,
    /// The template of the environment's variables that is there.
    pub template: Option<&'a str>,
    /// The page about the environment's variables that is there.
    pub document: Option<&'a str>,
    /// Loads the project with an overlay, with stand-ins for what is not filled in.
    pub reload: &'a dyn Fn(&str) -> Loaded,
    /// Loads the project with an overlay, and fills nothing in.
    pub plain: &'a dyn Fn(&str) -> Loaded,
    /// Reads a small file beside the sources, such as `package.json`; `None` when there is none.
    pub manifest: &'a dyn Fn(&Path) -> Option<String>,
    /// Says no to what people have waived.
    pub may: &'a dyn Fn(&Finding, Option<&Fix>) -> bool,
}

/// What beginning made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// The overlay as it should be.
    pub overlay: String,
    /// The template as it should be.
    pub template: String,
    /// The page as it should be.
    pub document: String,
    /// What each service was recognised as.
    pub recognised: Vec<(String, &'static str)>,
    /// The variables that production must be given.
    pub to_fill_in: Vec<String>,
    /// What a person must still decide.
    pub decisions: Vec<Decision>,
}

/// Something that cannot be told from the files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decision {
    /// What it is about: `services.web.x-seaworthy.probe`.
    pub key: String,
    /// What to decide, as a sentence.
    pub question: String,
}

impl Decision {
    fn new(key: impl Into<String>, question: impl Into<String>) -> Self {
        Self { key: key.into(), question: question.into() }
    }
}

/// A piece of the overlay that is not the answer to a finding.
#[derive(Debug, Clone)]
struct Proposal {
    edits: Vec<Edit>,
    /// What a person has to look at once it was written.
    decision: Option<Decision>,
}

impl Proposal {
    /// Where its service stands in the project, so that the overlay has the same order.
    fn position(&self, project: &Project) -> usize {
        let name = self.edits.first().and_then(|edit| edit.path.get(1));
        let position =
            |name: &String| project.services().position(|service| service.name.value.as_str() == name);
        name.and_then(position).unwrap_or(usize::MAX)
    }
}

/// Why nothing could be begun.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The project with its new overlay cannot be read back; nothing was written.
    #[error("the project does not load with the overlay that was made for it: {0}")]
    Unreadable(String),
}

/// Writes what production needs: it only ever adds to what is there.
///
/// # Errors
/// When the project cannot be loaded any more, for looking at its variables.
pub fn init(start: &Start<'_>) -> Result<Started, StartError> {
    let environment = start.project.environment.as_str();
    let context = Context::new(start.project);
    let recognised = framework::recognise(&context, start.manifest);
    let mut proposals = credentials::proposals(&context, environment);
    proposals.extend(traffic::proposals(&context, &recognised));
    proposals.extend(framework::proposals(&context, &recognised));
    proposals.sort_by_key(|proposal| proposal.position(start.project));
    let mut decisions = framework::decisions(&recognised);
    decisions.extend(decisions::of_files(&context));
    decisions.extend(decisions::of_stages(&context));
    // Whoever has an overlay for a service has seen what is asked about it.
    decisions.retain(|decision| !start.overlay.is_some_and(|old| decisions::speaks_of(old, &decision.key)));
    let begun = attempt::attempt(start, proposals, &mut decisions);

    // What an image nobody knows can do without is found by running it, not by guessing.
    let may = |finding: &Finding, fix: Option<&Fix>| {
        let guessed = fix.is_some_and(|fix| fix.level == Level::BehaviourChanging)
            && finding.rule.id == "missing-hardening";
        !guessed && (start.may)(finding, fix)
    };
    let text = begun.text.as_deref();
    let hardened = harden_where(&begun.project, text, start.reload, Level::BehaviourChanging, &may);
    decisions.extend(decisions::of(&hardened));
    decisions.sort();
    decisions.dedup();
    let text = hardened.text.unwrap_or_else(|| overlay::HEADER.to_owned());
    let overlay = decisions::write(&text, &decisions);

    let plain = (start.plain)(&overlay);
    let Some(plain) = plain.project else {
        let problem = plain.problems.first().map_or_else(String::new, |problem| problem.message.clone());
        return Err(StartError::Unreadable(problem.trim_end_matches('.').to_owned()));
    };
    let variables = variables::of(&plain);
    Ok(Started {
        template: template::write(start.template, &variables, environment),
        document: document::write(start.document, &variables, &plain),
        to_fill_in: variables.iter().filter(|one| one.is_to_fill_in()).map(|one| one.name.clone()).collect(),
        recognised: recognised.iter().map(|(name, framework)| (name.clone(), framework.title)).collect(),
        overlay,
        decisions,
    })
}
