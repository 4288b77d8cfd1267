//! The runner: asks every rule about one project.

use seaworthy_project::Project;

use crate::{Context, Findings, RULES};

/// Everything in the project that is not fit for production, worst first.
pub fn check(project: &Project) -> Findings {
    let context = Context::new(project);
    let mut findings = Findings::default();
    for rule in RULES {
        findings.begin(rule);
        (rule.check)(&context, &mut findings);
    }
    findings.settle(|finding| {
        let service = finding.place.service.as_ref();
        service.and_then(|name| project.services.get_index_of(name)).unwrap_or(usize::MAX)
    });
    findings
}
