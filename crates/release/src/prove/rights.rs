//! The rights of a service that a proof tries: who it is, what it may do, where it may write.

use std::collections::BTreeSet;

use serde::Serialize;

/// What Docker grants where nothing is said, as of its first release that is understood here.
pub(super) const DEFAULT_CAPABILITIES: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
/// Of these, what few services need: given back or taken away together first.
pub(super) const RARE_CAPABILITIES: [&str; 7] =
    ["AUDIT_WRITE", "FSETID", "MKNOD", "NET_RAW", "SETFCAP", "SETPCAP", "SYS_CHROOT"];

/// What is tried of a service. The default is what it has without any hardening of ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub struct Rights {
    /// The user it is told to run as; `None` leaves it to the file and the image.
    pub user: Option<String>,
    /// Whether it may gain no privilege.
    pub no_new_privileges: bool,
    /// The capabilities it gets back after all were dropped; `None` leaves it what it has.
    pub capabilities: Option<BTreeSet<String>>,
    /// Where it may write, by folders in memory, when its root is read-only; `None` leaves its root writable.
    pub writable: Option<BTreeSet<String>>,
}

impl Rights {
    /// The writable folders as `tmpfs` takes them: a user that is told must own them, since a folder in memory that
    /// lies over one of the image has that one's permissions, and belongs to root.
    pub fn tmpfs(&self) -> Vec<String> {
        let owner = self.user.as_ref().and_then(|user| user.split_once(':'));
        let options = owner.map_or_else(String::new, |(uid, gid)| format!(":uid={uid},gid={gid}"));
        self.writable.iter().flatten().map(|folder| format!("{folder}{options}")).collect()
    }

    /// The same without one capability.
    pub(super) fn without_capability(&self, capability: &str) -> Self {
        let mut less = self.clone();
        less.capabilities.iter_mut().for_each(|kept| kept.retain(|one| one != capability));
        less
    }

    /// The same without one writable folder.
    pub(super) fn without_folder(&self, folder: &str) -> Self {
        let mut less = self.clone();
        less.writable.iter_mut().for_each(|kept| kept.retain(|one| one != folder));
        less
    }
}

impl std::fmt::Display for Rights {
    /// `user 999:999, no new privileges, capabilities SETGID SETUID, read-only but for /run /tmp`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let listed = |items: &BTreeSet<String>| items.iter().cloned().collect::<Vec<_>>().join(" ");
        let mut parts = Vec::new();
        parts.extend(self.user.as_ref().map(|user| format!("user {user}")));
        if self.no_new_privileges {
            parts.push("no new privileges".to_owned());
        }
        match &self.capabilities {
            None => {}
            Some(none) if none.is_empty() => parts.push("no capability".to_owned()),
            Some(some) => parts.push(format!("capabilities {}", listed(some))),
        }
        match &self.writable {
            None => {}
            Some(none) if none.is_empty() => parts.push("read-only".to_owned()),
            Some(some) => parts.push(format!("read-only but for {}", listed(some))),
        }
        f.write_str(&if parts.is_empty() { "as it is".to_owned() } else { parts.join(", ") })
    }
}
