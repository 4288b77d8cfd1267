//! `build` (Compose Build Specification).

/// How an image is built from source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Build {
    /// `context`, absolute for a local folder.
    pub context: Option<String>,
    /// `dockerfile`, as written.
    pub dockerfile: Option<String>,
    /// `target`.
    pub target: Option<String>,
}
