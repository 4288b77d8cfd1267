//! A waiver: a person's decision that a finding may stay, with the reason and, if they like, a last day.

mod comment;
mod compose_lint;
mod foreign;
mod lines;

use std::path::PathBuf;

use jiff::civil::Date;
use seaworthy_project::{FileId, Problem, ProblemKind, Project, Sources, Span};

use crate::{ABSENT, Finding, RULES, Rule, policy};

pub(crate) use compose_lint::waivers as compose_lint_waivers;

/// How near, from 0 to 1, a rule's name must be to an unknown one to be suggested.
const NEAR: f64 = 0.8;

/// A decision that findings may stay.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiver {
    /// The rules whose findings it waives.
    pub rules: Vec<&'static str>,
    /// The single points of a finding that it waives; all of it where none is named.
    pub points: Vec<String>,
    /// Which of their findings.
    pub reach: Reach,
    /// Why, in the words of who decided.
    pub reason: String,
    /// The last day on which it counts.
    pub until: Option<Date>,
    /// In what form it was written.
    pub origin: Origin,
    /// Where it was written.
    pub span: Span,
}

/// Which findings a waiver is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Reach {
    /// What is found on these lines of a file, and what is found about the service they are, wherever that stands.
    Lines {
        /// The file.
        file: FileId,
        /// The first line.
        first: u32,
        /// The last line.
        last: u32,
        /// The service whose key stands on the first line.
        service: Option<String>,
    },
    /// What is found in the whole project, as far as these do not narrow it.
    Project {
        /// Only about this service.
        service: Option<String>,
        /// Only in this file, as shown in reports.
        file: Option<PathBuf>,
    },
}

/// In what form a waiver was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A comment of ours.
    Comment,
    /// The policy file.
    Policy,
    /// A comment or file of another tool.
    Foreign(&'static str),
}

impl Origin {
    /// In lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Policy => "policy",
            Self::Foreign(tool) => tool,
        }
    }
}

impl Waiver {
    /// Whether it is about that finding.
    pub fn covers(&self, finding: &Finding, sources: &Sources) -> bool {
        if !self.rules.contains(&finding.rule.id) {
            return false;
        }
        let of = finding.place.service.as_ref().map(|name| name.as_str());
        match &self.reach {
            Reach::Lines { file, first, last, service } => {
                let line = finding.span.start.line;
                let on_lines = finding.span.file == *file && (*first..=*last).contains(&line);
                on_lines || (service.is_some() && service.as_deref() == of)
            }
            Reach::Project { service, file } => {
                let path = sources.get(finding.span.file).map(|source| &source.path);
                service.as_deref().is_none_or(|service| of == Some(service))
                    && file.as_ref().is_none_or(|file| path == Some(file))
            }
        }
    }

    /// Whether its last day lies before `today`.
    pub fn is_expired(&self, today: Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }
}

/// What was read of waivers: the good ones, and what is wrong with the others.
#[derive(Debug, Default)]
pub(crate) struct Waivers {
    pub(crate) waivers: Vec<Waiver>,
    pub(crate) problems: Vec<Problem>,
}

/// The waivers that stand as comments in the project's own files.
pub(crate) fn in_comments(project: &Project) -> Waivers {
    let mut all = Waivers::default();
    for (file, source) in project.sources.iter() {
        let Some(kind) = lines::Kind::of(&source.path) else { continue };
        comment::read(file, kind, &source.text, &mut all);
        if kind == lines::Kind::Dockerfile {
            foreign::read(file, &source.text, &mut all);
        }
    }
    all
}

/// Rules and points as they are written: `moving-tag,missing-hardening/read_only`.
pub(crate) fn names(text: &str, span: Span) -> Result<(Vec<&'static str>, Vec<String>), Problem> {
    let (mut rules, mut points) = (Vec::new(), Vec::new());
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let (id, point) = name.split_once('/').map_or((name, None), |(id, point)| (id, Some(point)));
        rules.push(rule(id).ok_or_else(|| unknown_rule(id, span))?.id);
        points.extend(point.map(str::to_owned));
    }
    if rules.len() > 1 && !points.is_empty() {
        let message = format!("`{text}` mixes rules and the points of one.");
        let hint = "give points of a rule a waiver of their own";
        return Err(Problem::at(ProblemKind::InvalidValue, span, message).hint(hint));
    }
    Ok((rules, points))
}

/// The rule of that name, a company's own among them.
pub(crate) fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().chain(policy::COMPANY_RULES).find(|rule| rule.id == id)
}

/// The problem of a name that no rule has.
pub(crate) fn unknown_rule(id: &str, span: Span) -> Problem {
    if id == ABSENT.id {
        let message =
            format!("`{id}` only joins what other rules find, so it cannot be decided about as a whole.");
        let hint = "name the rules of its parts, such as `missing-limits` or `missing-hardening/read_only`";
        return Problem::at(ProblemKind::Undefined, span, message).hint(hint);
    }
    let hint = nearest_rule(id).map_or_else(
        || "`seaworthy explain` lists all rules".to_owned(),
        |name| format!("did you mean `{name}`?"),
    );
    Problem::at(ProblemKind::Undefined, span, format!("There is no rule `{id}`.")).hint(hint)
}

/// The rule whose name is most like that one, when one is.
pub fn nearest_rule(id: &str) -> Option<&'static str> {
    let names = RULES.iter().chain(policy::COMPANY_RULES).map(|rule| rule.id);
    let near = names.map(|name| (strsim::jaro_winkler(name, id), name));
    let near = near.filter(|(nearness, _)| *nearness >= NEAR).max_by(|one, other| one.0.total_cmp(&other.0));
    near.map(|(_, name)| name)
}

/// Reads the last day of a waiver.
pub(crate) fn day(text: &str, span: Span) -> Result<Date, Problem> {
    let is_plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    is_plain.then(|| text.parse().ok()).flatten().ok_or_else(|| {
        let message = format!("`{text}` is no day.");
        Problem::at(ProblemKind::InvalidValue, span, message).hint("write it as `2027-01-31`")
    })
}

/// The problem of a waiver that gives no reason.
pub(crate) fn without_reason(rules: &str, span: Span, hint: &str) -> Problem {
    let message = format!("The waiver of `{rules}` gives no reason.");
    Problem::at(ProblemKind::Required, span, message).hint(hint)
}
