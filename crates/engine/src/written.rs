//! What an instance wrote outside of everything that is mounted into it.

/// A path that an instance made, changed or removed in its own root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    /// The path inside.
    pub path: String,
    /// Whether it was not there before.
    pub is_new: bool,
    /// Whether it is a folder; what is gone is none.
    pub is_folder: bool,
}
