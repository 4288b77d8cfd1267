//! A template that was copied has to be filled in.

use seaworthy_project::is_credential_name;

use crate::environment_file::Role;
use crate::{Context, Findings, Group, Place, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "unfilled-variable",
    severity: Severity::High,
    grades: &[],
    group: Group::Delivery,
    summary: "environment file still has what its template had",
    why: "Between angle brackets a template says what belongs there. Left in, it becomes the host name, the address or the \
          version that production runs with.",
    fix: "Replace it by the value for this environment, or take the line away where a default will do.",
    bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      HOST: ${HOST}\n--- \
          .env\nHOST=<host-name>\n",
    good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      HOST: ${HOST}\n--- \
           .env\nHOST=shop.example\n",
    more: &[],
    references: &["The Twelve-Factor App, III"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in context.environment_files.iter().filter(|file| file.role == Role::Used) {
        for variable in &file.variables {
            // That of a credential is told where credentials are judged.
            if is_placeholder(variable.value) && !is_credential_name(variable.name) {
                let message = format!("`{}` still waits to be filled in.", variable.name);
                findings.report(Place::project(&[&file.name, variable.name]), variable.name_span, message);
            }
        }
    }
}

/// Whether a value is words between angle brackets.
fn is_placeholder(value: &str) -> bool {
    let inner = value.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | ':' | ',');
    inner.is_some_and(|inner| inner.starts_with(char::is_alphabetic) && inner.chars().all(is_word))
}

#[cfg(test)]
mod tests {
    use super::is_placeholder;

    #[test]
    fn words_in_angle_brackets_wait_to_be_filled_in() {
        assert!(
            ["<host-name>", "<your name, please>", "<e-mail-address>"]
                .iter()
                .all(|text| is_placeholder(text))
        );
        assert!(
            ["", "<>", "<b>x</b>", "a<b>", "<1>", "shop.example"].iter().all(|text| !is_placeholder(text))
        );
    }
}
