//! A disk of the host holds all the host's files.

use crate::{Context, Example, Findings, Grade, Group, Rule, Severity};

pub(crate) const RULE: Rule = Rule {
    id: "host-device",
    severity: Severity::Critical,
    grades: &[LOG, ENTRANCE],
    group: Group::Security,
    summary: "service is given a disk, the memory or another device that is the host itself",
    why: "Whoever can read a disk or the memory directly reads every file and secret on the machine, past all permissions. \
          `/dev/kmsg` shows and forges the kernel's log, `/dev/kvm` is a large piece of kernel to attack, a console or an input \
          device shows what is typed.",
    fix: "Remove the device and mount the folder that is needed instead.",
    bad: "services:\n  web:\n    image: shop:1.4\n    devices: [\"/dev/sda:/dev/sda\"]\n",
    good: "services:\n  web:\n    image: shop:1.4\n    devices: [\"/dev/ttyUSB0:/dev/ttyUSB0\"]\n",
    more: &[
        Example {
            of: "the kernel's log",
            bad: "services:\n  web:\n    image: shop:1.4\n    devices: [\"/dev/kmsg:/dev/kmsg\"]\n",
            good: "services:\n  web:\n    image: shop:1.4\n",
        },
        Example {
            of: "virtual machines, consoles and input",
            bad: "services:\n  web:\n    image: shop:1.4\n    devices: [\"/dev/kvm:/dev/kvm\"]\n",
            good: "services:\n  web:\n    image: shop:1.4\n    devices: [\"/dev/dri:/dev/dri\"]\n",
        },
    ],
    references: &["CIS Docker 1.6, 5.18"],
    check,
};

const LOG: Grade = Grade::new(
    Severity::High,
    "for `/dev/kmsg`: it shows the kernel's log, which helps to take the machine over",
);
const ENTRANCE: Grade =
    Grade::new(Severity::Medium, "for `/dev/kvm`, a console or an input device: a step towards the machine");

/// How the names of devices begin that hold everything, and what reaching the others is worth.
const DEVICES: [(&str, Option<Grade>); 15] = [
    ("sd", None),
    ("hd", None),
    ("vd", None),
    ("xvd", None),
    ("nvme", None),
    ("dm-", None),
    ("mapper/", None),
    ("mem", None),
    ("kmem", None),
    ("port", None),
    ("kmsg", Some(LOG)),
    ("kvm", Some(ENTRANCE)),
    ("console", Some(ENTRANCE)),
    ("input", Some(ENTRANCE)),
    ("uinput", Some(ENTRANCE)),
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let Some(devices) = service.node.get("devices") else { continue };
        for device in devices.items() {
            let source =
                device.get("source").and_then(|source| source.text()).or(device.text()).unwrap_or_default();
            let path = source.split(':').next().unwrap_or_default();
            let Some(name) = path.strip_prefix("/dev/") else { continue };
            if let Some((_, grade)) = DEVICES.iter().find(|(known, _)| name.starts_with(known)) {
                let message = format!("`{}` is given `{path}` of the host.", service.name.value);
                let finding = findings.report(service.place(&["devices"]), device.span, message);
                finding.evidence(path).grade(*grade);
            }
        }
    }
}
