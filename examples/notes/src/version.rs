//! The versions of the web service. A team would have one at a time; the example keeps three to show what a deploy does.

/// What sets one version of the web service apart.
#[derive(Debug)]
pub struct Version {
    /// What `/version` tells.
    pub number: &'static str,
    /// The schema that the code needs at least.
    pub(crate) schema: u32,
    /// Whether notes can be pinned and searched.
    pub(crate) pins: bool,
    /// Whether it searches by an index.
    pub(crate) index: bool,
}

/// The first version.
pub const ONE: Version = Version { number: "1", schema: 1, pins: false, index: false };

/// A good next version: notes can be pinned and searched.
pub const TWO: Version = Version { number: "2", schema: 2, pins: true, index: false };

/// A broken next version: it needs an index that no migration makes, so it never gets ready.
pub const THREE: Version = Version { number: "3", schema: 2, pins: true, index: true };
