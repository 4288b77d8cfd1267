//! The settings of compose-lint, which has no comments: `rules: { CL-0004: { enabled: false, reason: … } }`.

use seaworthy_project::{FileId, Node, Sources, Span, read_tree};

use super::foreign::table;
use super::{Origin, Reach, Waiver, Waivers};

/// The waivers in its file, which is one of `sources`. What we have no rule for is left alone.
pub(crate) fn waivers(file: FileId, sources: &Sources) -> Waivers {
    let mut all = Waivers::default();
    let tree = match read_tree(file, sources) {
        Ok(tree) => tree,
        Err(problems) => return Waivers { problems, ..all },
    };
    let rules = tree.as_ref().and_then(|tree| tree.get("rules")).map(Node::entries).unwrap_or_default();
    for entry in rules {
        let id = entry.key.value.as_str();
        let say = |reason: Option<&str>, service: Option<&str>, span: Span| {
            let (rules, points) = table::compose_lint(id)?;
            let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
            let reason = reason
                .map_or_else(|| format!("`{id}` is off in the settings of compose-lint"), str::to_owned);
            let reach = Reach::Project { service: service.map(str::to_owned), file: None };
            Some(Waiver {
                rules,
                points,
                reach,
                reason,
                until: None,
                origin: Origin::Foreign("compose-lint"),
                span,
            })
        };
        if entry.node.get("enabled").and_then(Node::text) == Some("false") {
            all.waivers.extend(say(entry.node.get("reason").and_then(Node::text), None, entry.key.span));
        }
        let Some(excluded) = entry.node.get("exclude_services") else { continue };
        for item in excluded.items() {
            all.waivers.extend(item.text().and_then(|service| say(None, Some(service), item.span)));
        }
        for inner in excluded.entries() {
            all.waivers.extend(say(inner.node.text(), Some(&inner.key.value), inner.key.span));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn rules_that_are_off_and_services_that_are_left_out_are_read() {
        let text = "rules:\n  CL-0004:\n    enabled: false\n    reason: the vendor says so\n  CL-0007:\n    exclude_services:\n      web: writes its cache\n  CL-0002:\n    exclude_services: [dind]\n  CL-0005: { enabled: false }\n  CL-0001: { enabled: true }\n";
        let mut sources = Sources::default();
        let file = sources.add(PathBuf::from(".compose-lint.yml"), text.to_owned());
        let all = waivers(file, &sources);
        let told: Vec<String> = all
            .waivers
            .iter()
            .map(|waiver| {
                format!("{:?} {:?} {} {:?}", waiver.rules, waiver.points, waiver.reason, waiver.reach)
            })
            .collect();
        assert_eq!(
            told,
            [
                "[\"moving-tag\"] [] the vendor says so Project { service: None, file: None }",
                "[\"missing-hardening\"] [\"read_only\"] writes its cache Project { service: Some(\"web\"), file: None }",
                "[\"privileged\"] [] `CL-0002` is off in the settings of compose-lint Project { service: Some(\"dind\"), file: None }",
            ]
        );
        assert!(all.problems.is_empty());
    }
}
