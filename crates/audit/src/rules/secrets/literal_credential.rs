//! A password in a file is a password in every copy of the repository.

use seaworthy_project::model::resource::FileResourceSource;

use crate::credential::{Verdict, verdicts};
use crate::{Context, Edit, EditValue, Findings, Group, Place, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "literal-credential",
    severity: Severity::High,
    grades: &[],
    group: Group::Secrets,
    summary: "credential is written into the file",
    why: "Everyone who can read the repository, now or later, has it; and it cannot differ between development and production.",
    fix: "Give it from outside: `${NAME:?set it}` with the value in `.env.production` (which is never committed), or a secret.",
    bad: "services:\n  web:\n    image: shop:1.4\n    environment:\n      API_TOKEN: q8Zk-2vNw-77Lp\n",
    good: "services:\n  web:\n    image: shop:1.4\n    environment:\n      API_TOKEN: ${API_TOKEN:?set it in .env.production}\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.10", "OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

/// The edit that takes a variable from outside.
pub(super) fn from_outside(service: &Subject<'_>, name: &str) -> Edit {
    let value = format!("${{{name}:?set {name} in .env.production}}");
    service
        .edit(&["environment", name], EditValue::text(value))
        .comment("The value belongs into .env.production.")
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for (credential, verdict) in verdicts(context, &service) {
            if verdict == Verdict::Literal {
                let name = credential.name;
                let message =
                    format!("The credential `{name}` of `{}` is written into the file.", service.name.value);
                let finding =
                    findings.report(service.place(&["environment", name]), credential.span, message);
                finding.snippet(&[from_outside(&service, name)]);
            }
        }
    }
    for secret in context.project.secrets.values() {
        let FileResourceSource::Content(content) = &secret.source else { continue };
        let raw = context.raw(&content.span).unwrap_or_default();
        if !content.value.reveal().is_empty() && crate::credential::references(raw).next().is_none() {
            let key = &secret.key.value;
            let message = format!("The secret `{key}` is written into the file.");
            let finding =
                findings.report(Place::project(&["secrets", key, "content"]), secret.key.span, message);
            finding.help(
                "read it from a file that is not committed (`file`), or from a variable (`environment`).",
            );
        }
    }
}
