//! Whoever speaks to the engine's socket owns the host.

use crate::host_path::host_paths;
use crate::{Context, Example, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "engine-socket",
    severity: Severity::Critical,
    grades: &[],
    group: Group::Security,
    summary: "service can speak to the container engine",
    why: "Through the engine's socket anyone can start a privileged container with the host's disk in it. Mounting it \
          read-only does not help: requests can still be sent.",
    fix: "Remove the mount. A reverse proxy does not need it here (Seaworthy's gateway finds instances by itself); for a \
          tool that must list containers, put a proxy before the socket that allows only reading.",
    bad: "services:\n  proxy:\n    image: shop-proxy:1.4\n    volumes: [\"/var/run/docker.sock:/var/run/docker.sock:ro\"]\n",
    good: "services:\n  proxy:\n    image: shop-proxy:1.4\n",
    more: &[
        Example {
            of: "a folder that holds it",
            bad: "services:\n  web:\n    image: shop:1.4\n    volumes: [\"/var/run:/host/run:ro\"]\n",
            good: "services:\n  web:\n    image: shop:1.4\n    volumes: [\"/var/run/shop:/host/run:ro\"]\n",
        },
        Example {
            of: "a variable that falls back to it",
            bad: "services:\n  web:\n    image: shop:1.4\n    volumes: \
                  [\"${SOCKET:-/var/run/docker.sock}:/engine.sock\"]\n",
            good: "services:\n  web:\n    image: shop:1.4\n    volumes: [\"shared:/run/shop\"]\nvolumes:\n  \
                   shared: {}\n",
        },
    ],
    references: &["CIS Docker 1.6, 5.32", "OWASP Docker Security Cheat Sheet, rule 1"],
    check,
};

const SOCKETS: [&str; 6] =
    ["docker.sock", "containerd.sock", "podman.sock", "crio.sock", "cri-dockerd.sock", "buildkitd.sock"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for mount in host_paths(context, &service) {
            let name = mount.path.rsplit('/').next().unwrap_or_default();
            let holds =
                matches!(mount.path.as_str(), "/run" | "/var/run" | "/run/containerd" | "/run/podman");
            if SOCKETS.contains(&name) || holds {
                let message = format!(
                    "`{}` can speak to the container engine through `{}`.",
                    service.name.value, mount.path
                );
                findings.report(service.place(&["volumes"]), mount.span, message).evidence(mount.path);
            }
        }
    }
}
