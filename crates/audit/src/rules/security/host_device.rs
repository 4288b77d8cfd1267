//! A disk of the host holds all the host's files.

use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "host-device",
    severity: Severity::Critical,
    group: Group::Security,
    summary: "service is given a disk, the memory or another device that is the host itself",
    why: "Whoever can read a disk or the memory directly reads every file and secret on the machine, past all permissions. \
          `/dev/kmsg` shows and forges the kernel's log, `/dev/kvm` is a large piece of kernel to attack, a console or an input \
          device shows what is typed.",
    fix: "Remove the device and mount the folder that is needed instead.",
    bad: "services:\n  web:\n    image: shop:1.4\n    devices: [\"/dev/sda:/dev/sda\"]\n",
    good: "services:\n  web:\n    image: shop:1.4\n    devices: [\"/dev/ttyUSB0:/dev/ttyUSB0\"]\n",
    references: &["CIS Docker 1.6, 5.18"],
    check,
};

/// How the names of devices begin that hold everything, and what reaching the others is worth.
const DEVICES: [(&str, Severity); 15] = [
    ("sd", Severity::Critical),
    ("hd", Severity::Critical),
    ("vd", Severity::Critical),
    ("xvd", Severity::Critical),
    ("nvme", Severity::Critical),
    ("dm-", Severity::Critical),
    ("mapper/", Severity::Critical),
    ("mem", Severity::Critical),
    ("kmem", Severity::Critical),
    ("port", Severity::Critical),
    ("kmsg", Severity::High),
    ("kvm", Severity::Medium),
    ("console", Severity::Medium),
    ("input", Severity::Medium),
    ("uinput", Severity::Medium),
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let Some(devices) = service.node.get("devices") else { continue };
        for device in devices.items() {
            let source =
                device.get("source").and_then(|source| source.text()).or(device.text()).unwrap_or_default();
            let path = source.split(':').next().unwrap_or_default();
            let Some(name) = path.strip_prefix("/dev/") else { continue };
            if let Some((_, severity)) = DEVICES.iter().find(|(known, _)| name.starts_with(known)) {
                let message = format!("`{}` is given `{path}` of the host.", service.name.value);
                let finding = findings.report(service.place(&["devices"]), device.span, message);
                finding.evidence(path).severity(*severity);
            }
        }
    }
}
