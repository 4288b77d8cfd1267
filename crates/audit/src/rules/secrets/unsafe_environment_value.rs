//! A switch in a file works as well as one in a command.

use super::super::build::unverified_transfer::is_off;
use crate::environment_file::Role;
use crate::{Context, Example, Findings, Grade, Group, Place, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "unsafe-environment-value",
    severity: Severity::High,
    grades: &[ENGINE],
    group: Group::Secrets,
    summary: "environment file turns a protection off",
    why: "Whoever can reach the engine over plain TCP owns the machine; without verification of certificates, \
          whoever stands between can read and change everything.",
    fix: "Reach the engine by SSH or with TLS (`DOCKER_HOST=ssh://…`), and remove the switch.",
    bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nDOCKER_HOST=tcp://10.0.0.5:2375\n",
    good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nDOCKER_HOST=ssh://deploy@10.0.0.5\n",
    more: &[Example {
        of: "verification of certificates",
        bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: \
                  ${A}\n--- .env\nNODE_TLS_REJECT_UNAUTHORIZED=0\n",
        good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: \
                   ${A}\n--- .env\nNODE_EXTRA_CA_CERTS=/etc/ssl/shop-ca.pem\n",
    }],
    references: &["OWASP Docker Security Cheat Sheet, rule 1"],
    check,
};

const ENGINE: Grade =
    Grade::new(Severity::Critical, "for an engine on plain TCP: who reaches it owns the machine");

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in context.environment_files.iter().filter(|file| file.role != Role::Example) {
        for variable in &file.variables {
            let engine = variable.name == "DOCKER_HOST"
                && variable.value.starts_with("tcp://")
                && !variable.value.ends_with(":2376");
            let in_service = context.subjects().any(|service| service.variable(variable.name).is_some());
            let message = if engine {
                "`DOCKER_HOST` reaches the engine over plain TCP.".to_owned()
            } else if is_off(variable.name, variable.value) && !in_service {
                format!("`{}` makes programs accept any certificate.", variable.name)
            } else {
                continue;
            };
            let finding =
                findings.report(Place::project(&[&file.name, variable.name]), variable.name_span, message);
            if engine {
                finding.grade(ENGINE);
            }
        }
    }
}
