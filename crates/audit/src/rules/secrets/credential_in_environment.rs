//! A file can be read by one process; the environment by all of them.

use crate::{Context, Edit, EditValue, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "credential-in-environment",
    severity: Severity::Low,
    grades: &[],
    group: Group::Secrets,
    summary: "credential is a variable where the image would read a file",
    why: "Variables are inherited by every child process, shown by `inspect`, and often end up in crash reports. This image also \
          reads the value from a file.",
    fix: "Make it a secret and give the variable with the file's path.",
    bad: "services:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}\n",
    good: "services:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_PASSWORD_FILE: /run/secrets/db_password\n    \
           secrets: [db_password]\nsecrets:\n  db_password:\n    file: ./db_password.txt\n",
    more: &[],
    references: &["OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let Some(known) = service.known else { continue };
        for credential in
            known.credentials.iter().filter(|credential| known.file_variables.contains(&credential.variable))
        {
            let name = &credential.variable;
            let Some(value) = service.environment.get(name) else { continue };
            if value.value.as_ref().is_none_or(|value| value.reveal().is_empty()) {
                continue;
            }
            let file = format!("{name}{}", known.file_suffix());
            let secret = name.to_ascii_lowercase();
            let message = format!("`{}` could read `{name}` from a file.", service.name.value);
            let edits = [
                service.edit(&["environment", name], EditValue::Reset),
                service.edit(&["environment", &file], EditValue::text(format!("/run/secrets/{secret}"))),
                service.edit(&["secrets"], EditValue::list([secret.as_str()])),
                Edit::new(
                    vec!["secrets".to_owned(), secret.clone(), "environment".to_owned()],
                    EditValue::text(name.as_str()),
                ),
            ];
            let finding = findings.report(service.place(&["environment", name]), value.span, message);
            finding.help(format!("Make it a secret and give `{file}` with its path.")).snippet(&edits);
        }
    }
}
