//! A default password is used exactly when somebody forgot to set one.

use crate::credential::{Origin, Verdict, hidden_default, verdicts};
use crate::{Context, EditValue, Findings, Fix, Group, Level, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "credential-default",
    severity: Severity::High,
    grades: &[],
    group: Group::Secrets,
    summary: "credential has a default in the file",
    why: "With `${NAME:-value}` a forgotten variable is not noticed: production runs with the password that everybody who can \
          read the repository knows.",
    fix: "Write `${NAME:?set it}`: then a forgotten variable stops the deploy with a clear message.",
    bad: "services:\n  web:\n    image: shop:1.4\n    environment:\n      DB_PASSWORD: ${DB_PASSWORD:-hunter2}\n",
    good: "services:\n  web:\n    image: shop:1.4\n    environment:\n      DB_PASSWORD: ${DB_PASSWORD:?set it}\n",
    more: &[],
    references: &["OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for (credential, verdict) in verdicts(context, &service) {
            let (Verdict::Default, Origin::Default(raw)) = (verdict, credential.origin) else { continue };
            let Some((variable, default)) = hidden_default(raw) else { continue };
            let name = credential.name;
            let message =
                format!("`{name}` of `{}` falls back to a credential in the file.", service.name.value);
            let finding = findings.report(service.place(&["environment", name]), credential.span, message);
            if let Some(fix) = fix(&service, name, raw, variable, default) {
                finding.snippet(&fix.edits).fix(fix);
            }
        }
    }
}

/// The same text with a message in place of the default. Where the variable is set, nothing changes; where it is not, the
/// project does not load any more, so the fix is dropped and left to a person.
fn fix(service: &Subject<'_>, name: &str, raw: &str, variable: &str, default: &str) -> Option<Fix> {
    let written = [format!("${{{variable}:-{default}}}"), format!("${{{variable}-{default}}}")];
    let written = written.iter().find(|written| raw.contains(written.as_str()))?;
    let required = format!("${{{variable}:?set {variable} in .env.production}}");
    let value = raw.replace(written.as_str(), &required);
    let simple = !value.contains(['\\', '\n']) && hidden_default(&value).is_none();
    simple.then(|| Fix::new(Level::Safe, vec![service.edit(&["environment", name], EditValue::text(value))]))
}
