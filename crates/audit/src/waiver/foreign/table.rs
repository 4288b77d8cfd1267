//! Which of our rules look for what a rule of another tool looks for.

use crate::waiver::rule;

/// A tool, its name for a rule, and our rules that look for the same.
type Line = (&'static str, &'static str, &'static [&'static str]);

/// Where one of their rules is only a part of one of ours, it stands in [`POINTS`] instead: it must not waive the rest.
const RULES: [Line; 68] = [
    ("hadolint", "DL3000", &["odd-workdir"]),
    ("hadolint", "DL3002", &["root-user", "root-in-image"]),
    ("hadolint", "DL3004", &["sudo-in-image"]),
    ("hadolint", "DL3005", &["full-upgrade"]),
    ("hadolint", "DL3006", &["moving-tag", "moving-base-image"]),
    ("hadolint", "DL3007", &["moving-tag", "moving-base-image"]),
    ("hadolint", "DL3009", &["package-cache-in-image"]),
    ("hadolint", "DL3011", &["invalid-exposed-port"]),
    ("hadolint", "DL3014", &["unattended-install"]),
    ("hadolint", "DL3015", &["recommended-packages"]),
    ("hadolint", "DL3019", &["package-cache-in-image"]),
    ("hadolint", "DL3020", &["add-for-copy"]),
    ("hadolint", "DL3024", &["broken-stage-reference"]),
    ("hadolint", "DL3025", &["shell-form-command"]),
    ("hadolint", "DL3026", &["registry-not-allowed"]),
    ("hadolint", "DL3029", &["fixed-platform"]),
    ("hadolint", "DL3042", &["package-cache-in-image"]),
    ("hadolint", "DL3057", &["missing-healthcheck"]),
    ("hadolint", "DL3064", &["credential-in-build-args", "credential-in-image", "secret-build-argument"]),
    ("hadolint", "DL4000", &["dated-instruction"]),
    ("hadolint", "DL4003", &["overridden-instruction"]),
    ("hadolint", "DL4004", &["overridden-instruction"]),
    ("hadolint", "DL4006", &["pipe-hides-failure"]),
    ("buildkit", "CopyIgnoredFile", &["ignored-file-copied"]),
    ("buildkit", "DuplicateStageName", &["broken-stage-reference"]),
    ("buildkit", "ExposeInvalidFormat", &["invalid-exposed-port"]),
    ("buildkit", "FromPlatformFlagConstDisallowed", &["fixed-platform"]),
    ("buildkit", "JSONArgsRecommended", &["shell-form-command"]),
    ("buildkit", "LegacyKeyValueFormat", &["dated-instruction"]),
    ("buildkit", "MaintainerDeprecated", &["dated-instruction"]),
    ("buildkit", "MultipleInstructionsDisallowed", &["overridden-instruction"]),
    ("buildkit", "ReservedStageName", &["broken-stage-reference"]),
    (
        "buildkit",
        "SecretsUsedInArgOrEnv",
        &["credential-in-build-args", "credential-in-image", "secret-build-argument"],
    ),
    ("buildkit", "UndefinedArgInFrom", &["broken-stage-reference"]),
    ("buildkit", "UndefinedVar", &["unset-build-variable"]),
    ("buildkit", "WorkdirRelativePath", &["odd-workdir"]),
    ("checkov", "CKV2_DOCKER_1", &["sudo-in-image"]),
    ("checkov", "CKV2_DOCKER_2", &["tls-verification-off", "unverified-transfer"]),
    ("checkov", "CKV2_DOCKER_3", &["tls-verification-off", "unverified-transfer"]),
    ("checkov", "CKV2_DOCKER_4", &["unverified-transfer"]),
    ("checkov", "CKV_DOCKER_1", &["published-ssh-port", "ssh-in-image"]),
    ("checkov", "CKV_DOCKER_2", &["missing-healthcheck"]),
    ("checkov", "CKV_DOCKER_3", &["root-in-image"]),
    ("checkov", "CKV_DOCKER_4", &["add-for-copy"]),
    ("checkov", "CKV_DOCKER_5", &["package-index-alone"]),
    ("checkov", "CKV_DOCKER_6", &["dated-instruction"]),
    ("checkov", "CKV_DOCKER_7", &["moving-tag", "moving-base-image"]),
    ("checkov", "CKV_DOCKER_8", &["root-user", "root-in-image"]),
    ("checkov", "CKV_DOCKER_10", &["odd-workdir"]),
    ("compose-lint", "CL-0001", &["engine-socket"]),
    ("compose-lint", "CL-0002", &["privileged"]),
    ("compose-lint", "CL-0004", &["moving-tag"]),
    ("compose-lint", "CL-0008", &["host-namespace"]),
    ("compose-lint", "CL-0009", &["confinement-disabled"]),
    ("compose-lint", "CL-0010", &["host-namespace"]),
    ("compose-lint", "CL-0011", &["dangerous-capability"]),
    ("compose-lint", "CL-0013", &["sensitive-host-path"]),
    ("compose-lint", "CL-0014", &["logs-discarded"]),
    ("compose-lint", "CL-0016", &["host-device"]),
    ("compose-lint", "CL-0017", &["shared-propagation"]),
    ("compose-lint", "CL-0018", &["root-user"]),
    (
        "compose-lint",
        "CL-0020",
        &["literal-credential", "default-credential", "placeholder-credential", "credential-default"],
    ),
    ("compose-lint", "CL-0021", &["credential-in-url"]),
    ("compose-lint", "CL-0022", &["tmpfs-with-programs"]),
    ("compose-lint", "CL-0024", &["dangerous-capability"]),
    ("compose-lint", "CL-0025", &["sensitive-host-path"]),
    ("compose-lint", "CL-0026", &["missing-limits"]),
    ("compose-lint", "CL-0027", &["dangerous-capability"]),
];

/// Rules of compose-lint that are one point of `missing-hardening`.
const POINTS: [(&str, &str); 3] =
    [("CL-0003", "no-new-privileges"), ("CL-0006", "cap_drop"), ("CL-0007", "read_only")];

/// Our rules for one of theirs; `all` stands for all of a tool's.
pub(super) fn rules(tool: &str, id: &str) -> impl Iterator<Item = &'static str> {
    let is_meant = move |line: &&Line| line.0 == tool && (line.1 == id || id == "all");
    let found: Vec<&'static str> =
        RULES.iter().filter(is_meant).flat_map(|line| line.2.iter().copied()).collect();
    found.into_iter().filter_map(|name| rule(name).map(|rule| rule.id))
}

/// The same with the point of the rule, for compose-lint.
pub(in crate::waiver) fn compose_lint(id: &str) -> Option<(Vec<&'static str>, Vec<String>)> {
    if let Some((_, point)) = POINTS.iter().find(|(theirs, _)| *theirs == id) {
        return Some((vec![rule("missing-hardening")?.id], vec![(*point).to_owned()]));
    }
    let rules: Vec<&'static str> = rules("compose-lint", id).collect();
    (!rules.is_empty()).then_some((rules, Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_named_here_is_one_of_ours() {
        for (tool, id, names) in RULES {
            assert_eq!(rules(tool, id).collect::<Vec<_>>(), names, "{tool} {id}");
        }
        for (id, point) in POINTS {
            assert_eq!(compose_lint(id), Some((vec!["missing-hardening"], vec![point.to_owned()])));
        }
        assert_eq!(rules("hadolint", "DL9999").count(), 0);
    }
}
