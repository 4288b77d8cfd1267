//! The items of the standards: their numbers, and what they ask for in our own words.

use super::{Item, Standard};

/// A part of a finding (its point, or the key its fix sets) and the items it speaks against.
type Part = (&'static str, &'static [&'static str]);

/// An item that files decide.
const fn item(number: &'static str, title: &'static str) -> Item {
    Item { number, title, is_whole: true }
}

/// An item of which files show only a part: they can speak against it, never for it.
const fn part(number: &'static str, title: &'static str) -> Item {
    Item { number, title, is_whole: false }
}

/// CIS Docker Benchmark 1.6: section 4 about images, section 5 about containers.
pub(super) const CIS: &[Item] = &[
    item("4.1", "The image has a user that is not root"),
    part("4.2", "Base images come from who is trusted"),
    part("4.3", "Nothing is installed that is not needed"),
    part("4.4", "Images are scanned and rebuilt with patches"),
    part("4.5", "Content trust is on"),
    item("4.6", "The image says how its health is checked"),
    part("4.7", "The package index is not updated alone"),
    part("4.8", "Setuid and setgid are taken away"),
    part("4.9", "Files come in by COPY, not ADD"),
    part("4.10", "No secret is kept in the build"),
    part("4.11", "Packages are verified"),
    part("4.12", "What is signed is checked"),
    part("5.1", "Swarm mode is off where it is not needed"),
    part("5.2", "AppArmor confines the container"),
    part("5.3", "SELinux confines the container"),
    item("5.4", "Capabilities are the fewest that do"),
    item("5.5", "No container is privileged"),
    item("5.6", "No sensitive host folder is mounted"),
    part("5.7", "No ssh server runs inside"),
    item("5.8", "No privileged port is mapped"),
    part("5.9", "Only ports that are needed are open"),
    item("5.10", "The host's network is not shared"),
    item("5.11", "Memory is limited"),
    item("5.12", "Processor time is shared on purpose"),
    item("5.13", "The root file system is read-only"),
    item("5.14", "Published ports are bound to an address"),
    item("5.15", "Restarts on failure are counted"),
    item("5.16", "The host's processes are not shared"),
    item("5.17", "The host's IPC is not shared"),
    item("5.18", "No host device is handed in"),
    item("5.19", "Resource limits of the process are set where needed"),
    item("5.20", "Mounts do not propagate to the host"),
    item("5.21", "The host's UTS namespace is not shared"),
    item("5.22", "The default seccomp profile is on"),
    item("5.23", "Nobody runs exec with --privileged"),
    item("5.24", "Nobody runs exec as root"),
    item("5.25", "The cgroup is the engine's own"),
    item("5.26", "No new privileges can be gained"),
    item("5.27", "Health is checked while it runs"),
    part("5.28", "The newest build of the image is what runs"),
    item("5.29", "The number of processes is limited"),
    item("5.30", "The default bridge is not used"),
    item("5.31", "The host's user namespace is not shared"),
    item("5.32", "The engine's socket is not mounted"),
];

/// The rules of the OWASP Docker Security Cheat Sheet.
pub(super) const OWASP: &[Item] = &[
    part("0", "Host and engine are up to date"),
    item("1", "The engine's socket is not exposed"),
    item("2", "A user is set"),
    item("3", "Capabilities are limited"),
    item("4", "No new privileges can be gained"),
    part("5", "Connections between containers are on purpose"),
    item("5a", "Published ports are bound on purpose"),
    part("6", "Seccomp, AppArmor or SELinux confines it"),
    item("7", "Memory, processors, processes and restarts are limited"),
    item("8", "File systems and volumes are read-only"),
    part("9", "Scanners are part of the pipeline"),
    part("10", "The engine logs at info"),
    part("11", "The engine runs rootless where it can"),
    item("12", "Secrets are handled as secrets"),
    part("13", "The supply chain is looked after"),
];

/// For rules that group several items in one finding: which part of it speaks against which.
pub(super) fn parts(rule: &str, standard: Standard) -> Option<&'static [Part]> {
    match (rule, standard) {
        ("missing-hardening", Standard::Cis) => Some(&[
            ("user", &["4.1"]),
            ("read_only", &["5.13"]),
            ("cap_drop", &["5.4"]),
            ("no-new-privileges", &["5.26"]),
            ("pids", &["5.29"]),
        ]),
        ("missing-hardening", Standard::Owasp) => Some(&[
            ("user", &["2"]),
            ("read_only", &["8"]),
            ("cap_drop", &["3"]),
            ("no-new-privileges", &["4"]),
            ("pids", &["7"]),
        ]),
        ("missing-limits", Standard::Cis) => Some(&[("memory", &["5.11"]), ("cpus", &["5.12"])]),
        _ => None,
    }
}
