//! What was found, for people and for programs: one file for each format.

mod absent;
mod codeclimate;
mod compliance;
mod github;
mod html;
mod json;
mod junit;
mod markdown;
mod place;
mod problems;
mod sarif;
mod snippet;
mod text;

use std::path::PathBuf;

use seaworthy_project::{Problem, Project, Sources};

use crate::policy::Threshold;
use crate::{Findings, Review};

pub use compliance::Standard;
pub use problems::{problems, warnings};

/// Everything one run has looked at.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The projects that were checked.
    pub checked: Vec<Checked>,
    /// What could not be checked.
    pub unchecked: Vec<Unchecked>,
    /// Findings by the items of this standard, where one is asked for.
    pub by: Option<Standard>,
}

/// A project that was checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What was found, and what counts of it.
    pub review: Review,
    /// From which severity on it fails.
    pub threshold: Threshold,
    /// Where fixes would be written.
    pub overlay: Option<Overlay>,
}

/// The file that fixes are written to.
#[derive(Debug, Clone)]
pub struct Overlay {
    /// Its path, as reports name it.
    pub path: PathBuf,
    /// Its text, where it is there already.
    pub text: Option<String>,
}

/// A project that could not be checked.
#[derive(Debug, Clone)]
pub struct Unchecked {
    /// What tells it from others in one report.
    pub name: String,
    /// Why, each with its place.
    pub problems: Vec<Problem>,
    /// The files the places point into, with paths as reports name them.
    pub sources: Sources,
    /// Whether the project was checked, and only what people decided about it could not be read.
    pub partly: bool,
}

impl Checked {
    /// What could not be read of waivers and policy.
    pub fn undecided(&self) -> Option<Unchecked> {
        let review = &self.review;
        let name = if review.name.is_empty() {
            "waivers and policy".to_owned()
        } else {
            format!("waivers and policy of {}", review.name)
        };
        (!review.problems.is_empty()).then(|| Unchecked {
            name,
            problems: review.problems.clone(),
            sources: review.sources.clone(),
            partly: true,
        })
    }
}

impl Report {
    /// Adds a project that was checked, and what could not be read of the decisions about it.
    pub fn add(&mut self, checked: Checked) {
        self.unchecked.extend(checked.undecided());
        self.checked.push(checked);
    }

    /// Of one project that nobody has decided anything about.
    pub fn plain(findings: &Findings, project: &Project) -> Self {
        let review = Review::plain(findings, project);
        let checked = Checked { review, threshold: Threshold::default(), overlay: None };
        Self { checked: vec![checked], unchecked: Vec::new(), by: None }
    }

    /// Whether something counts that is as severe as asked for, in any project.
    pub fn fails(&self) -> bool {
        self.checked.iter().any(|checked| checked.review.fails(checked.threshold))
    }

    /// For people, in a terminal.
    pub fn text(&self, color: bool) -> String {
        text::render(self, color)
    }

    /// For programs: JSON with a version number. It holds no line of any file.
    pub fn json(&self) -> String {
        json::render(self)
    }

    /// SARIF 2.1.0, which code hosts show beside the lines. `version` is the program's.
    pub fn sarif(&self, version: &str) -> String {
        sarif::render(self, version)
    }

    /// JUnit's XML, which every CI system shows as tests.
    pub fn junit(&self) -> String {
        junit::render(self)
    }

    /// Commands that a GitHub workflow shows as annotations.
    pub fn github(&self) -> String {
        github::render(self)
    }

    /// Code Climate's JSON, which GitLab shows as code quality.
    pub fn codeclimate(&self) -> String {
        codeclimate::render(self)
    }

    /// Markdown, for a comment or a job's summary.
    pub fn markdown(&self) -> String {
        markdown::render(self)
    }

    /// One HTML page that needs nothing else.
    pub fn html(&self) -> String {
        html::render(self)
    }
}

/// The text report of one project that nobody has decided anything about.
pub fn text(findings: &Findings, project: &Project, color: bool) -> String {
    Report::plain(findings, project).text(color)
}

/// The JSON report of one project that nobody has decided anything about.
pub fn json(findings: &Findings, project: &Project) -> String {
    Report::plain(findings, project).json()
}
