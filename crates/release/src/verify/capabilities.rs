//! Which capabilities a service was promised: the usual ones, and what `cap_add`, `cap_drop` and `privileged` say.

use seaworthy_project::Service;

/// The capabilities by their bits (capabilities(7)).
const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];
/// What container engines give where nothing is said.
const USUAL: [&str; 14] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FSETID",
    "FOWNER",
    "MKNOD",
    "NET_RAW",
    "SETGID",
    "SETUID",
    "SETFCAP",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "SYS_CHROOT",
    "KILL",
    "AUDIT_WRITE",
];

/// What a service may have at most, and what it must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Promised {
    pub(super) most: u64,
    pub(super) least: u64,
}

impl Promised {
    pub(super) fn of(service: &Service) -> Self {
        if service.privileged.as_ref().is_some_and(|privileged| privileged.value) {
            return Self { most: u64::MAX, least: 0 };
        }
        let said = |items: &[seaworthy_project::Spanned<String>]| {
            items.iter().fold(0, |all, item| all | bits(&item.value))
        };
        let (added, dropped) = (said(&service.cap_add), said(&service.cap_drop));
        let usual = USUAL.iter().fold(0, |all, name| all | bits(name));
        // As engines have it: with `ALL` dropped only what is added by name is left.
        let named: Vec<_> = service.cap_drop.iter().filter(|item| !is_all(&item.value)).collect();
        let dropped_by_name = named.iter().fold(0, |all, item| all | bits(&item.value));
        Self {
            most: ((usual & !dropped) | added) & !dropped_by_name,
            least: if added == u64::MAX { 0 } else { added & !dropped_by_name },
        }
    }
}

fn is_all(name: &str) -> bool {
    name.eq_ignore_ascii_case("all")
}

fn bits(name: &str) -> u64 {
    if is_all(name) {
        return u64::MAX;
    }
    let name = name.to_ascii_uppercase();
    let name = name.strip_prefix("CAP_").unwrap_or(&name);
    NAMES.iter().position(|known| *known == name).map_or(0, |bit| 1 << bit)
}

/// The names of a set: `NET_ADMIN, SYS_TIME`.
pub(super) fn names(set: u64) -> String {
    if set == 0 {
        return "none".to_owned();
    }
    let names = NAMES.iter().enumerate().filter(|(bit, _)| set & (1 << bit) != 0).map(|(_, name)| *name);
    let unknown = (NAMES.len()..64).filter(|bit| set & (1 << bit) != 0).map(|bit| format!("number {bit}"));
    names.map(str::to_owned).chain(unknown).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use seaworthy_project::fixture::load_yaml;

    use super::*;

    fn promised(keys: &str) -> Promised {
        let project = load_yaml(&format!("services:\n  web:\n    image: web:1\n{keys}"));
        Promised::of(project.services().next().unwrap())
    }

    #[test]
    fn the_usual_ones_are_those_of_engines() {
        assert_eq!(promised(""), Promised { most: 0xa804_25fb, least: 0 });
    }

    #[test]
    fn dropping_all_leaves_what_is_added() {
        let bind = 1 << 10;
        assert_eq!(
            promised("    cap_drop: [ALL]\n    cap_add: [NET_BIND_SERVICE]\n"),
            Promised { most: bind, least: bind }
        );
        assert_eq!(promised("    cap_drop: [all]\n"), Promised { most: 0, least: 0 });
    }

    #[test]
    fn one_can_be_dropped_and_added() {
        let seen = promised("    cap_drop: [CAP_NET_RAW]\n    cap_add: [sys_time]\n");
        assert_eq!(seen.most, (0xa804_25fb & !(1 << 13)) | 1 << 25);
        assert_eq!(names(seen.least), "SYS_TIME");
        assert_eq!(names(0), "none");
    }
}
