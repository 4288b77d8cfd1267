//! What a rule found, and where.

use seaworthy_project::{ServiceName, Span};

use crate::{Confidence, Edit, Fix, Grade, Mend, Rule, Severity, overlay};

/// Something that makes a project unfit for production.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// How much it matters here: the rule's severity, or more where something makes it worse.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// The service and key it is about.
    pub place: Place,
    /// What tells it from others of the same rule at the same place: a port, a capability. Never a secret.
    pub evidence: Option<String>,
    /// Where it was written, or where it is missing.
    pub span: Span,
    /// Further places that explain it.
    pub related: Vec<(Span, String)>,
    /// One sentence. Never holds the value of a credential.
    pub message: String,
    /// The single points, for a finding that groups several.
    pub points: Vec<&'static str>,
    /// What to do next, as sentences.
    pub help: String,
    /// What would settle it; several when it has points.
    pub fixes: Vec<Fix>,
    /// What would settle it in a Dockerfile or an example file.
    pub mends: Vec<Mend>,
    /// What a person may paste into the overlay and complete, when there is no fix.
    pub snippet: Option<String>,
    /// What is lacking, where nothing is wrong but that something is not there.
    pub absent: Option<String>,
    /// Points that a waiver took out of it.
    pub waived: Vec<String>,
}

/// What a finding is about: a service, or the project, and a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The service, unless it is about the project.
    pub service: Option<ServiceName>,
    /// Keys from the top.
    pub path: Vec<String>,
}

impl Place {
    /// A top-level key and what stands under it.
    pub fn project(path: &[&str]) -> Self {
        Self { service: None, path: path.iter().map(|key| (*key).to_owned()).collect() }
    }

    /// The place as one text: `services.web.ports`.
    pub fn key(&self) -> String {
        self.path.join(".")
    }
}

impl Finding {
    /// What stays the same when wording, order or lines change: rule, key and evidence.
    pub fn identity(&self) -> String {
        let evidence = self.evidence.as_ref().map(|evidence| format!("#{evidence}")).unwrap_or_default();
        format!("{}@{}{evidence}", self.rule.id, self.place.key())
    }

    /// What a person may paste into the overlay: the snippet, else what the fixes would write.
    pub fn paste(&self) -> Option<String> {
        let edits: Vec<Edit> = self.fixes.iter().flat_map(|fix| fix.edits.iter().cloned()).collect();
        self.snippet.clone().or_else(|| (!edits.is_empty()).then(|| overlay::snippet(&edits)))
    }

    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = help.into();
        self
    }

    pub(crate) fn evidence(&mut self, evidence: impl Into<String>) -> &mut Self {
        self.evidence = Some(evidence.into());
        self
    }

    /// Says that it is one of the cases that its rule names; without any it is as severe as usual.
    pub(crate) fn grade(&mut self, grade: impl Into<Option<Grade>>) -> &mut Self {
        if let Some(grade) = grade.into() {
            debug_assert!(self.rule.grades.contains(&grade), "`{}` names each of its grades", self.rule.id);
            self.severity = grade.severity;
        }
        self
    }

    pub(crate) fn confidence(&mut self, confidence: Confidence) -> &mut Self {
        self.confidence = confidence;
        self
    }

    pub(crate) fn related(&mut self, span: Span, label: impl Into<String>) -> &mut Self {
        self.related.push((span, label.into()));
        self
    }

    pub(crate) fn points(&mut self, points: Vec<&'static str>) -> &mut Self {
        self.points = points;
        self
    }

    pub(crate) fn fix(&mut self, fix: impl Into<Option<Fix>>) -> &mut Self {
        self.fixes.extend(fix.into());
        self
    }

    pub(crate) fn mend(&mut self, mend: impl Into<Option<Mend>>) -> &mut Self {
        self.mends.extend(mend.into());
        self
    }

    /// Says that something is lacking, and nothing else is wrong: all of that is told together.
    pub(crate) fn absent(&mut self, what: impl Into<String>) -> &mut Self {
        self.absent = Some(what.into());
        self
    }

    pub(crate) fn snippet(&mut self, edits: &[Edit]) -> &mut Self {
        self.snippet = Some(overlay::snippet(edits));
        self
    }
}

/// What all rules found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    items: Vec<Finding>,
    rule: Option<&'static Rule>,
}

impl Findings {
    /// The findings: worst first, then in the order of the project.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.items.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many there are of that severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.items.iter().filter(|finding| finding.severity == severity).count()
    }

    /// The worst severity, when there is any finding.
    pub fn worst(&self) -> Option<Severity> {
        self.items.iter().map(|finding| finding.severity).max()
    }

    /// The finding with that identity.
    pub fn find(&self, identity: &str) -> Option<&Finding> {
        self.items.iter().find(|finding| finding.identity() == identity)
    }

    /// From here on, what is reported belongs to that rule.
    pub(crate) fn begin(&mut self, rule: &'static Rule) {
        self.rule = Some(rule);
    }

    /// Reports one finding of the current rule.
    pub(crate) fn report(&mut self, place: Place, span: Span, message: impl Into<String>) -> &mut Finding {
        let rule = self.rule.expect("the runner names the rule before it asks it");
        self.items.push(Finding {
            rule,
            severity: rule.severity,
            confidence: Confidence::Certain,
            place,
            evidence: None,
            span,
            related: Vec::new(),
            message: message.into(),
            points: Vec::new(),
            help: rule.fix.to_owned(),
            fixes: Vec::new(),
            mends: Vec::new(),
            snippet: None,
            absent: None,
            waived: Vec::new(),
        });
        let last = self.items.len() - 1;
        &mut self.items[last]
    }

    /// Puts the worst first and keeps one of each identity.
    pub(crate) fn settle(&mut self, order: impl Fn(&Finding) -> usize) {
        let mut seen = std::collections::HashSet::new();
        self.items.retain(|finding| seen.insert(finding.identity()));
        self.items.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), order(finding), finding.span));
        self.rule = None;
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'findings> IntoIterator for &'findings Findings {
    type Item = &'findings Finding;
    type IntoIter = std::slice::Iter<'findings, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
