//! A disk of the host holds all the host's files.

use crate::{Context, Findings, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "host-device",
    severity: Severity::Critical,
    group: Group::Security,
    summary: "service is given a disk or the memory of the host",
    why: "Whoever can read a disk or the memory directly reads every file and secret on the machine, past all permissions.",
    fix: "Remove the device and mount the folder that is needed instead.",
    bad: "services:\n  web:\n    image: shop:1.4\n    devices: [\"/dev/sda:/dev/sda\"]\n",
    good: "services:\n  web:\n    image: shop:1.4\n    devices: [\"/dev/ttyUSB0:/dev/ttyUSB0\"]\n",
    references: &["CIS Docker 1.6, 5.18"],
    check,
};

const DEVICES: [&str; 10] = ["sd", "hd", "vd", "xvd", "nvme", "dm-", "mapper/", "mem", "kmem", "port"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let Some(devices) = service.node.get("devices") else { continue };
        for device in devices.items() {
            let source =
                device.get("source").and_then(|source| source.text()).or(device.text()).unwrap_or_default();
            let path = source.split(':').next().unwrap_or_default();
            let Some(name) = path.strip_prefix("/dev/") else { continue };
            if DEVICES.iter().any(|known| name.starts_with(known)) {
                let message = format!("`{}` is given `{path}` of the host.", service.name.value);
                findings.report(service.place(&["devices"]), device.span, message).evidence(path);
            }
        }
    }
}
