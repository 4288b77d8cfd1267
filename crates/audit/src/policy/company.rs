//! Rules of a company's own: the labels every service bears, and where images may come from.

use super::Policy;
use crate::{Context, Findings, Group, Rule, Severity, Subject};

pub(super) const MISSING_LABEL: Rule = Rule {
    id: "missing-label",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Delivery,
    summary: "service lacks a label that the policy asks for",
    why: "Whoever is woken at night needs to know whose service it is; cost and access rules go by labels too.",
    fix: "Add the label under `labels`, or take it out of `require.labels` in the policy.",
    bad: "services:\n  web:\n    image: shop:1.4\n",
    good: "services:\n  web:\n    image: shop:1.4\n    labels: { team: shop }\n",
    more: &[],
    references: &[],
    check: asks_the_policy,
};

pub(super) const REGISTRY_NOT_ALLOWED: Rule = Rule {
    id: "registry-not-allowed",
    severity: Severity::High,
    grades: &[],
    group: Group::Images,
    summary: "image comes from a registry that the policy does not allow",
    why: "An image is code that runs with your data; whoever publishes under a name that looks right is trusted with it.",
    fix: "Take the image from an allowed registry, or add its registry to `require.registries` in the policy.",
    bad: "services:\n  web:\n    image: example.net/shop:1.4\n",
    good: "services:\n  web:\n    image: ghcr.io/acme/shop:1.4\n",
    more: &[],
    references: &["CIS Docker 1.6, 4.2", "OWASP Docker Security Cheat Sheet, rule 13"],
    check: asks_the_policy,
};

/// Without a policy nothing is asked for; [`check`] looks where there is one.
fn asks_the_policy(_: &Context<'_>, _: &mut Findings) {}

/// Looks for what the policy asks for.
pub(crate) fn check(context: &Context<'_>, policy: &Policy, findings: &mut Findings) {
    let [label, registry] = super::COMPANY_RULES else { return };
    findings.begin(label);
    for service in context.subjects() {
        for name in policy.labels.iter().filter(|name| !service.labels.contains_key(name.as_str())) {
            let message =
                format!("`{}` lacks the label `{name}`, which the policy asks for.", service.name.value);
            let place = service.place(&["labels"]);
            findings.report(place, service.span_of(&["labels"]), message).evidence(name);
        }
    }
    findings.begin(registry);
    for service in
        context.subjects().filter(|service| !service.is_built_here && !policy.registries.is_empty())
    {
        let Some(image) = &service.image else { continue };
        if let Some(name) = full_name(&service)
            && !policy.registries.iter().any(|allowed| is_within(&name, allowed))
        {
            let message = format!(
                "The image of `{}` comes from `{name}`, which the policy does not allow.",
                service.name.value
            );
            findings.report(service.place(&["image"]), image.span, message);
        }
    }
}

/// The image's name with the registry and folder that are implied.
fn full_name(service: &Subject<'_>) -> Option<String> {
    let reference = service.reference()?;
    let registry = reference.registry.unwrap_or("docker.io");
    let implied = registry == "docker.io" && !reference.repository.contains('/');
    let folder = if implied { "library/" } else { "" };
    Some(format!("{registry}/{folder}{}", reference.repository))
}

/// Whether a name lies in what is allowed: a registry, or a folder of one.
fn is_within(name: &str, allowed: &str) -> bool {
    let allowed = allowed.trim_end_matches('/');
    name.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use seaworthy_project::fixture::load_yaml;

    use super::*;

    #[test]
    fn each_rule_finds_its_bad_example_and_not_its_good_one() {
        let policy = Policy {
            labels: vec!["team".to_owned()],
            registries: vec!["ghcr.io/acme".to_owned()],
            ..Policy::default()
        };
        for rule in super::super::COMPANY_RULES {
            for (yaml, expected) in [(rule.bad, true), (rule.good, false)] {
                let project = load_yaml(yaml);
                let mut findings = Findings::default();
                check(&Context::new(&project), &policy, &mut findings);
                let found = findings.iter().any(|finding| finding.rule == rule);
                assert_eq!(found, expected, "{}: {yaml}", rule.id);
            }
        }
    }

    #[test]
    fn a_folder_of_a_registry_is_no_prefix_of_letters() {
        assert!(is_within("ghcr.io/acme/shop", "ghcr.io/acme/") && is_within("ghcr.io/acme/shop", "ghcr.io"));
        assert!(!is_within("ghcr.io/acme-evil/shop", "ghcr.io/acme"));
        let project = load_yaml("services:\n  db:\n    image: postgres:17\n");
        let context = Context::new(&project);
        let name = context.subjects().next().and_then(|service| full_name(&service));
        assert_eq!(name.as_deref(), Some("docker.io/library/postgres"));
    }
}
