//! What a service only reads, it should not be able to write.

use std::path::Path;

use seaworthy_project::model::mount::{Mount, MountKind};

use crate::{Confidence, Context, EditValue, Example, Findings, Group, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "writable-settings-mount",
    severity: Severity::Low,
    grades: &[],
    group: Group::Security,
    summary: "settings, a certificate or a key of the host are mounted writable",
    why: "Whoever takes the service over can change the file on the host: other settings, another certificate, and they stay \
          after the container is replaced.",
    fix: "Add `:ro` to the mount, or give the file under `configs` or `secrets`.",
    bad: "services:\n  web:\n    image: nginx:1.29\n    volumes: [\"./nginx.conf:/etc/nginx/nginx.conf\"]\n",
    good: "services:\n  web:\n    image: nginx:1.29\n    volumes: [\"./nginx.conf:/etc/nginx/nginx.conf:ro\"]\n",
    more: &[Example {
        of: "a folder with certificates",
        bad: "services:\n  web:\n    image: nginx:1.29\n    volumes: [\"./certs:/etc/nginx/certs\"]\n",
        good: "services:\n  web:\n    image: nginx:1.29\n    volumes: [\"./certs:/etc/nginx/certs:ro\"]\n",
    }],
    references: &["OWASP Docker Security Cheat Sheet, rule 8"],
    check,
};

/// Endings of files that programs read and seldom write.
const ENDINGS: [&str; 14] = [
    "conf",
    "cnf",
    "cfg",
    "ini",
    "yml",
    "yaml",
    "toml",
    "properties",
    "hcl",
    "crt",
    "cer",
    "pem",
    "key",
    "vcl",
];
/// The same without an ending.
const NAMES: [&str; 4] = ["Caddyfile", "Corefile", "krb5.keytab", "sudoers"];
/// Folders of certificates and keys.
const FOLDERS: [&str; 6] = ["certs", "cert", "certificates", "ssl", "tls", "pki"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        for mount in &service.service().mounts {
            if !holds_settings(&mount.value) || makes_them(&service) {
                continue;
            }
            let target = &mount.value.target;
            let message = format!("`{}` can write `{target}`, a file of the host.", service.name.value);
            let finding = findings.report(service.place(&["volumes"]), mount.span, message).evidence(target);
            finding.confidence(Confidence::Likely);
            let raw = context.raw(&mount.span).unwrap_or_default().trim().trim_matches(['"', '\'']);
            // Only what is written in one piece can be written again.
            if raw.split(':').count() == 2 && !raw.contains([' ', '$', '\n', '{']) {
                finding.snippet(&[service.edit(&["volumes"], EditValue::list([format!("{raw}:ro")]))]);
            }
        }
    }
}

fn holds_settings(mount: &Mount) -> bool {
    let (MountKind::Bind, Some(source), false) = (mount.kind, &mount.source, mount.read_only) else {
        return false;
    };
    let (source, target) = (Path::new(source), Path::new(&mount.target));
    let ending =
        |path: &Path| path.extension().and_then(|ending| ending.to_str().map(str::to_ascii_lowercase));
    let named = |path: &Path, names: &[&str]| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| names.contains(&name))
    };
    let file =
        ending(target).is_some_and(|ending| ENDINGS.contains(&ending.as_str())) || named(target, &NAMES);
    // A folder called `x.conf` is one all the same: only a file has the ending on both sides.
    (file && ending(source) == ending(target)) || (named(source, &FOLDERS) && ending(target).is_none())
}

/// Whether it is the service's work to make certificates.
fn makes_them(service: &Subject<'_>) -> bool {
    let image = service.image.as_ref().map(|image| image.value.to_ascii_lowercase()).unwrap_or_default();
    ["certbot", "acme", "letsencrypt", "step-ca", "mkcert", "lego"].iter().any(|name| image.contains(name))
        || service.is_job
}
