//! What the Compose Specification allows under each key, as data; checking and typed writing both read it.

pub(crate) mod check;
mod deploy;
mod own;
mod project;
mod service;

pub(crate) use project::PROJECT;

/// What may stand at a place.
pub(crate) enum Shape {
    /// Anything.
    Any,
    /// A text; a number or boolean needs quotes.
    Text,
    /// A text, number or boolean, or nothing.
    Plain,
    Boolean,
    Integer,
    Number,
    /// A number of processors.
    Processors,
    /// A size in bytes, or -1 where Compose means "no limit".
    Size,
    Duration,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// One of a few words; Compose loads others too, though no engine knows them.
    Known(&'static [&'static str]),
    /// A text of a certain form.
    Form(&'static Form),
    List(&'static Shape),
    /// A map with keys of the user's choice.
    Map(&'static Shape),
    /// A map with known keys.
    Object(&'static Object),
    /// Any of these; of two for the same sort of node, the first.
    Either(&'static [Shape]),
}

/// A form of text.
pub(crate) struct Form {
    /// What it should be, with an example, to follow "needs".
    pub(crate) expected: &'static str,
    pub(crate) accepts: fn(&str) -> bool,
    /// Whether Compose refuses everything else; if not, it loads what no engine takes.
    pub(crate) enforced: bool,
}

/// A map with known keys.
pub(crate) struct Object {
    /// What it is, to follow "in".
    pub(crate) name: &'static str,
    pub(crate) keys: &'static [(&'static str, Shape)],
    /// Whether `x-…` keys are allowed beside them.
    pub(crate) extensible: bool,
}

impl Object {
    /// The shape under a key.
    pub(crate) fn key(&self, key: &str) -> Option<&'static Shape> {
        let found = self.keys.iter().find(|(name, _)| *name == key).map(|(_, shape)| shape);
        found.or_else(|| (self.extensible && key.starts_with("x-")).then_some(&Shape::Any))
    }
}

const TEXTS: Shape = Shape::List(&Shape::Text);
const PLAINS: Shape = Shape::List(&Shape::Plain);
const TEXT_OR_LIST: Shape = Shape::Either(&[Shape::Text, TEXTS]);
const PLAIN_MAP: Shape = Shape::Map(&Shape::Plain);
const LIST_OR_MAP: Shape = Shape::Either(&[TEXTS, PLAIN_MAP]);
const BOOLEAN_OR_TEXT: Shape = Shape::Either(&[Shape::Boolean, Shape::Text]);
const HOSTS: Shape = Shape::Either(&[TEXTS, Shape::Map(&Shape::Either(&[Shape::Text, TEXTS]))]);
