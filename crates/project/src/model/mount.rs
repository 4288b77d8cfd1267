//! `volumes`, `tmpfs`, and the files that `secrets` and `configs` grant.

/// Something mounted into an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// What is mounted.
    pub kind: MountKind,
    /// The source: an absolute host path for a bind, a key of the top-level `volumes` for a volume, else `None`.
    pub source: Option<String>,
    /// The path inside.
    pub target: String,
    /// Whether it is read-only.
    pub read_only: bool,
}

/// What is mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MountKind {
    /// A named or anonymous volume.
    Volume,
    /// A path of the host.
    Bind,
    /// Memory.
    Tmpfs,
    /// Another kind that is kept in the node only (`npipe`, `cluster`, `image`).
    Other,
}

/// A secret or config given to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileGrant {
    /// The key of the top-level `secrets` or `configs`.
    pub source: String,
    /// Where the service finds it: `/run/secrets/<source>` or `/<source>` when nothing is said. Absolute.
    pub target: String,
    /// `mode`, as permission bits.
    pub mode: Option<u32>,
    /// `uid`.
    pub uid: Option<String>,
    /// `gid`.
    pub gid: Option<String>,
}
