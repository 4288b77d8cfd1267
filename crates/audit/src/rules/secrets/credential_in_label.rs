//! Labels are read by everybody who may list containers.

use seaworthy_project::is_credential_name;

use crate::credential::{find_hash, looks_like_credential, references, token_name};
use crate::{Context, Example, Findings, Grade, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "credential-in-label",
    severity: Severity::Medium,
    grades: &[IN_CLEAR],
    group: Group::Secrets,
    summary: "label holds a password or its hash",
    why: "Labels stand in the repository, in `docker inspect`, and in every tool that lists containers. From a hash a password \
          that people can remember is guessed in hours, without anybody noticing.",
    fix: "Keep the users in a file that is not committed (`basicauth.usersfile`, a secret), or take the hash from a variable that \
          must be set.",
    bad: "services:\n  web:\n    image: shop:1.4\n    labels:\n      traefik.http.middlewares.door.basicauth.users: \
          admin:$$apr1$$ruca84Hq$$mbjdMZBAG.KWn7vfN/SNK/\n",
    good: "services:\n  web:\n    image: shop:1.4\n    labels:\n      traefik.http.middlewares.door.basicauth.usersfile: \
           /run/secrets/users\n",
    more: &[Example {
        of: "a credential in clear",
        bad: "services:\n  web:\n    image: shop:1.4\n    labels:\n      com.example.api.token: \
                  q8Zk2vNw77Lp\n",
        good: "services:\n  web:\n    image: shop:1.4\n    labels:\n      com.example.team: shop\n",
    }],
    references: &["CIS Docker 1.6, 4.10", "OWASP Docker Security Cheat Sheet, rule 12"],
    check,
};

const IN_CLEAR: Grade = Grade::new(Severity::High, "where it is the credential itself and no hash of it");

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for (label, value) in &service.service().labels {
            // What a variable gives does not stand in the file, and a provider's token is told by its own rule.
            let given = context.raw(&value.span).is_none_or(|raw| references(raw).next().is_some());
            if given || token_name(&value.value).is_some() {
                continue;
            }
            let name = &service.name.value;
            if find_hash(&value.value).is_some() {
                let message = format!("The label `{label}` of `{name}` holds the hash of a password.");
                findings.report(service.place(&["labels", label]), value.span, message);
            } else if is_credential_name(last(label)) && looks_like_credential(&value.value) {
                let message = format!("The label `{label}` of `{name}` holds a credential.");
                let finding = findings.report(service.place(&["labels", label]), value.span, message);
                finding.grade(IN_CLEAR);
            }
        }
    }
}

/// The last part of a label's name, which says what its value is.
fn last(label: &str) -> &str {
    label.rsplit('.').next().unwrap_or(label)
}
