//! Build arguments stay in the image for ever.

use seaworthy_project::{Node, is_credential_name};

use crate::credential::looks_like_credential;
use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "credential-in-build-args",
    severity: Severity::High,
    grades: &[],
    group: Group::Secrets,
    summary: "credential is given as a build argument",
    why: "Build arguments are kept in the history of the image: whoever can pull it can read them.",
    fix: "Use a build secret: `build.secrets` with `RUN --mount=type=secret` in the Dockerfile.",
    bad: "services:\n  web:\n    build:\n      context: .\n      args:\n        NPM_TOKEN: q8Zk2vNw77Lp\n",
    good: "services:\n  web:\n    build:\n      context: .\n      secrets: [npm_token]\nsecrets:\n  npm_token:\n    \
           file: ./npm_token.txt\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.10"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let Some(args) = service.node.at(&["build", "args"]) else { continue };
        let pairs =
            args.entries().iter().map(|entry| (entry.key.value.as_str(), entry.node.text(), &entry.node));
        let listed = args.items().iter().filter_map(|item: &Node| {
            let (name, value) = item.text()?.split_once('=')?;
            Some((name, Some(value), item))
        });
        for (name, value, node) in pairs.chain(listed) {
            if is_credential_name(name) && value.is_some_and(looks_like_credential) {
                let message =
                    format!("The build argument `{name}` of `{}` stays in the image.", service.name.value);
                findings.report(service.place(&["build", "args", name]), node.span, message);
            }
        }
    }
}
