//! How Docker Compose writes a resolved project: which keys in which order, and which it leaves out when they say nothing.

mod deploy;
mod resources;
mod service;

pub(super) use resources::{CONFIG, MODEL, NETWORK, SECRET, VOLUME};
pub(super) use service::SERVICE;

/// A map with known keys, in the order in which they are written.
pub(super) struct Layout {
    pub(super) fields: &'static [Field],
    /// Whether `x-…` keys are written too, last, where the format has room for them.
    pub(super) extensions: bool,
    /// Whether Compose's JSON writes these keys with a capital letter.
    pub(super) capitals: bool,
}

/// One key of a [`Layout`].
pub(super) struct Field {
    pub(super) key: &'static str,
    pub(super) presence: Presence,
    pub(super) under: Under,
}

/// When a key is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// When it says something: not for zero, false, or nothing in it.
    Telling,
    /// Whenever it is there.
    Given,
    /// In JSON even if it is not there, as null; in YAML when it is there.
    Word,
    /// In JSON even if it is not there, as an empty map; in YAML when there is something in it.
    Part,
}

/// What stands under a key.
pub(super) enum Under {
    /// A scalar, a list of scalars, or a map whose keys the user chose.
    Leaf,
    One(&'static Layout),
    List(&'static Layout),
    Map(&'static Layout),
}

const fn telling(key: &'static str) -> Field {
    Field { key, presence: Presence::Telling, under: Under::Leaf }
}

const fn given(key: &'static str) -> Field {
    Field { key, presence: Presence::Given, under: Under::Leaf }
}

const fn word(key: &'static str) -> Field {
    Field { key, presence: Presence::Word, under: Under::Leaf }
}

const fn part(key: &'static str, layout: &'static Layout) -> Field {
    Field { key, presence: Presence::Part, under: Under::One(layout) }
}

const fn one(key: &'static str, layout: &'static Layout) -> Field {
    Field { key, presence: Presence::Given, under: Under::One(layout) }
}

const fn list(key: &'static str, layout: &'static Layout) -> Field {
    Field { key, presence: Presence::Telling, under: Under::List(layout) }
}

const fn map(key: &'static str, layout: &'static Layout) -> Field {
    Field { key, presence: Presence::Telling, under: Under::Map(layout) }
}
