//! What holds for a running instance, as the engine and the kernel tell it: for holding it against what was promised.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Soft and hard limits by their name in Compose files; `None` is no limit.
pub type Ulimits = BTreeMap<String, (Option<u64>, Option<u64>)>;

/// One thing that was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen<T> {
    /// It is so.
    Is(T),
    /// It could not be looked at, for this reason: nothing is known of it.
    Unseen(String),
    /// The engine does not carry it; its losses say so.
    NotCarried,
}

impl<T> Seen<T> {
    /// What is seen, changed into something else.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Seen<U> {
        match self {
            Self::Is(value) => Seen::Is(change(value)),
            Self::Unseen(why) => Seen::Unseen(why),
            Self::NotCarried => Seen::NotCarried,
        }
    }
}

/// What holds for a running instance. No field ever holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The pin of what it was made from.
    pub artifact: Seen<String>,
    /// Who its main process runs as.
    pub user: Seen<SeenUser>,
    /// Whether the engine was told to keep its root read-only.
    pub read_only_root: Seen<bool>,
    /// Whether its root refused a write that was tried and would have changed nothing.
    pub root_refuses: Seen<bool>,
    /// What its main process may do beyond an ordinary one.
    pub capabilities: Seen<SeenCapabilities>,
    /// Whether its main process can gain no privilege.
    pub no_new_privileges: Seen<bool>,
    /// Whether its system calls are filtered.
    pub seccomp: Seen<bool>,
    /// Its AppArmor profile; `unconfined` is none.
    pub apparmor: Seen<String>,
    /// The most memory it may use, in bytes; `None` is no limit.
    pub memory_bytes: Seen<Option<u64>>,
    /// The processor time it may use, in thousandths of a processor.
    pub cpu_millis: Seen<Option<u64>>,
    /// How many processes it may have.
    pub pids: Seen<Option<u64>>,
    /// Its soft and hard limits, by their name in Compose files; `None` is no limit.
    pub ulimits: Seen<Ulimits>,
    /// The ports that the engine itself publishes: `53/udp → 0.0.0.0:53`.
    pub published: Seen<Vec<String>>,
    /// The granted files that were found where they were promised.
    pub files: Seen<Vec<SeenFile>>,
    /// Where else the contents of a granted file are seen: `variable NAME`, `label NAME`, `arguments`.
    pub exposed: Seen<Vec<String>>,
    /// When it is started again: `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`.
    pub restart: Seen<String>,
    /// The networks it is connected to, but for our own.
    pub networks: Seen<Vec<String>>,
    /// What is mounted into it, but for granted files.
    pub mounts: Seen<Vec<SeenMount>>,
}

/// Who a process runs as, by the numbers that hold inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenUser {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The numbers that the name in the file stands for inside.
    pub promised: Option<(u32, u32)>,
}

/// What a process may do beyond an ordinary one, a bit for each capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenCapabilities {
    /// What it may do now.
    pub effective: u64,
    /// What it could ever gain.
    pub bounding: u64,
}

/// A granted file, found where it was promised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenFile {
    /// Where the service expects it.
    pub target: String,
    /// Its permission bits.
    pub mode: u32,
    /// Who owns it.
    pub uid: u32,
    /// Which group owns it.
    pub gid: u32,
    /// Whether it lies in memory.
    pub in_memory: bool,
}

/// Something mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenMount {
    /// The path inside.
    pub target: String,
    /// `volume`, `bind` or `tmpfs`.
    pub kind: String,
    /// The name of the volume, or the path of the host.
    pub source: Option<String>,
    /// Whether it refuses writes.
    pub read_only: bool,
}

impl Facts {
    /// Nothing is known, for this reason.
    pub fn unseen(why: &str) -> Self {
        fn no<T>(why: &str) -> Seen<T> {
            Seen::Unseen(why.to_owned())
        }
        Self {
            artifact: no(why),
            user: no(why),
            read_only_root: no(why),
            root_refuses: no(why),
            capabilities: no(why),
            no_new_privileges: no(why),
            seccomp: no(why),
            apparmor: no(why),
            memory_bytes: no(why),
            cpu_millis: no(why),
            pids: no(why),
            ulimits: no(why),
            published: no(why),
            files: no(why),
            exposed: no(why),
            restart: no(why),
            networks: no(why),
            mounts: no(why),
        }
    }
}
