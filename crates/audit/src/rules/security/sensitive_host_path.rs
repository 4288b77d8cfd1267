//! Some folders of the host are the host.

use crate::host_path::{HostPath, host_paths};
use crate::{Context, Example, Findings, Grade, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "sensitive-host-path",
    severity: Severity::High,
    grades: &[WRITABLE],
    group: Group::Security,
    summary: "service sees a sensitive folder of the host",
    why: "Who can write `/etc`, `/root` or the engine's own folder becomes root on the host; who can read `.ssh`, `.aws` or \
          `/etc/shadow` has its credentials.",
    fix: "Mount only the one file or folder that is needed, read-only, or copy it into the image.",
    bad: "services:\n  web:\n    image: shop:1.4\n    volumes: [\"/etc:/host/etc\"]\n",
    good: "services:\n  web:\n    image: shop:1.4\n    volumes: [\"/etc/localtime:/etc/localtime:ro\"]\n",
    more: &[Example {
        of: "credentials that can be read",
        bad: "services:\n  web:\n    image: shop:1.4\n    volumes: [\"/srv/deploy/.ssh:/keys:ro\"]\n",
        good: "services:\n  web:\n    image: shop:1.4\n    volumes: \
                   [\"/srv/deploy/known_hosts:/keys/known_hosts:ro\"]\n",
    }],
    references: &["CIS Docker 1.6, 5.6", "OWASP Docker Security Cheat Sheet, rule 8"],
    check,
};

const WRITABLE: Grade = Grade::new(
    Severity::Critical,
    "for a folder in which who can write becomes root: `/etc`, `/root`, the engine's own",
);

/// Who writes here becomes root.
const ROOT_EQUIVALENT: [&str; 13] = [
    "/", "/etc", "/root", "/boot", "/proc", "/sys", "/dev", "/usr", "/bin", "/lib", "/var", "/var/lib",
    "/home",
];
/// The same, for all that lies below.
const ROOT_EQUIVALENT_TREES: [&str; 6] =
    ["/boot", "/etc/systemd", "/etc/cron.d", "/var/lib/docker", "/var/lib/containerd", "/etc/kubernetes"];
/// Who reads here has credentials.
const CREDENTIAL_FILES: [&str; 3] = ["/etc/shadow", "/etc/ssh", "/etc/ssl/private"];
const CREDENTIAL_FOLDERS: [&str; 5] = [".ssh", ".aws", ".kube", ".docker", ".gnupg"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for mount in host_paths(context, &service) {
            let Some(grade) = grade(&mount) else { continue };
            let access = if mount.read_only { "read" } else { "write" };
            let message = format!("`{}` can {access} `{}` of the host.", service.name.value, mount.path);
            let place = service.place(&["volumes"]);
            findings.report(place, mount.span, message).evidence(mount.path).grade(grade);
        }
    }
}

/// Whether a mount is sensitive, and how.
fn grade(mount: &HostPath) -> Option<Option<Grade>> {
    let root = ROOT_EQUIVALENT.contains(&mount.path.as_str())
        || ROOT_EQUIVALENT_TREES.iter().any(|tree| mount.is_within(tree));
    let credentials = CREDENTIAL_FILES.iter().any(|file| mount.is_within(file))
        || mount.path.split('/').any(|part| CREDENTIAL_FOLDERS.contains(&part));
    match (root, credentials, mount.read_only) {
        (true, _, false) => Some(Some(WRITABLE)),
        (true, _, true) | (_, true, _) => Some(None),
        _ => None,
    }
}
