//! Top-level `networks`, `volumes`, `secrets` and `configs`.

use crate::{Node, Sensitive, Spanned};

/// One entry of the top-level `networks`.
#[derive(Debug, Clone)]
pub struct Network {
    /// The key.
    pub key: Spanned<String>,
    /// The name the engine knows it by: `name`, else `<project>_<key>`.
    pub name: String,
    /// Whether it is somebody else's.
    pub external: bool,
    /// Whether it has no way out.
    pub internal: bool,
    /// The resolved entry.
    pub node: Node,
}

/// One entry of the top-level `volumes`.
#[derive(Debug, Clone)]
pub struct Volume {
    /// The key.
    pub key: Spanned<String>,
    /// The name the engine knows it by: `name`, else `<project>_<key>`.
    pub name: String,
    /// Whether it is somebody else's.
    pub external: bool,
    /// `x-seaworthy.exclusive`: one writer at a time.
    pub exclusive: bool,
    /// The resolved entry.
    pub node: Node,
}

/// One entry of the top-level `secrets` or `configs`.
#[derive(Debug, Clone)]
pub struct FileResource {
    /// The key.
    pub key: Spanned<String>,
    /// Where its contents come from.
    pub source: FileResourceSource,
    /// The resolved entry.
    pub node: Node,
}

/// Where the contents of a secret or config come from.
#[derive(Debug, Clone)]
pub enum FileResourceSource {
    /// A file, absolute.
    File(Spanned<String>),
    /// A variable of the environment the project was loaded with, with its value if it is set.
    Environment(Spanned<String>, Option<Sensitive>),
    /// The text itself (`content`).
    Content(Spanned<Sensitive>),
    /// Held by the engine.
    External,
}
