//! What the Compose Specification allows under each key, as data; checking and typed writing both read it.

mod balancing;
pub(crate) mod check;
pub(crate) mod complete;
mod deploy;
mod numbers;
mod own;
mod policy;
mod project;
pub(crate) mod reading;
mod service;
mod site;
mod unique;

pub(crate) use project::PROJECT;

use crate::load::scalar::Type;

/// What may stand at a place. Nothing at all may stand only where a shape says so.
pub(crate) enum Shape {
    /// Anything.
    Any,
    /// A text; a number or boolean needs quotes.
    Text,
    /// A text, number or boolean, or nothing; it becomes a text.
    Plain,
    /// A scalar of one of these types; it becomes a text.
    Of(&'static [Type]),
    /// A boolean, or a word that says it.
    Boolean,
    /// A boolean, and no text that says it.
    Truth,
    Number(&'static Number),
    /// A number of processors.
    Processors,
    Size(Size),
    Duration,
    /// A duration of which zero says nothing.
    Delay,
    /// A duration of ours, which knows a few more units.
    OwnDuration,
    /// Permission bits: a number, or a text in octal.
    Mode,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// A text that should be one of a few words; Compose loads others too, though no engine knows them.
    Known(&'static [&'static str]),
    /// A text of a certain form.
    Form(&'static Form),
    List(&'static Shape),
    /// A list in which nothing stands twice.
    Unique(&'static Shape),
    /// A map with keys of the user's choice.
    Map(&'static Shape),
    /// A map with names of the user's choice: letters, digits, `.`, `_` and `-`.
    Named(&'static Shape),
    /// A map with known keys.
    Object(&'static Object),
    /// That, or nothing.
    Maybe(&'static Shape),
    /// Any of these; of two for the same sort of node, the first.
    Either(&'static [Shape]),
}

/// A number, what may be written for it, and its bounds.
pub(crate) struct Number {
    /// What it should be, to follow "needs".
    pub(crate) expected: &'static str,
    pub(crate) texts: Texts,
    pub(crate) fractions: Fractions,
    pub(crate) least: i64,
    pub(crate) most: i64,
    /// Bounds beyond which Compose loads it though no engine takes it.
    pub(crate) usual: Option<(i64, i64)>,
}

/// Which texts count as a number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Texts {
    None,
    /// Decimal digits with or without a sign.
    Whole,
    /// Also with a fraction or an exponent.
    Fraction,
}

/// What becomes of a number that YAML takes for one with a fraction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fractions {
    /// It is refused, even when nothing follows the point.
    Never,
    /// It is refused unless nothing follows the point.
    Whole,
    /// The fraction is cut off.
    Cut,
    /// It is kept, in single precision.
    Kept,
}

/// A size in bytes, and what may be written for it beside a text with a unit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// Any number; Compose ignores one with a fraction.
    Number,
    /// A whole number.
    Whole,
    /// A whole number of 0 or more.
    Natural,
    /// A whole number, of which zero says something.
    Rate,
    /// Nothing else.
    Text,
}

/// A form of text.
pub(crate) struct Form {
    /// What it should be, with an example, to follow "needs".
    pub(crate) expected: &'static str,
    /// What YAML may take it for.
    pub(crate) types: &'static [Type],
    pub(crate) accepts: fn(&str) -> bool,
    /// Whether Compose refuses everything else; if not, it loads what no engine takes.
    pub(crate) enforced: bool,
}

/// A map with known keys.
pub(crate) struct Object {
    /// What it is, to follow "in".
    pub(crate) name: &'static str,
    pub(crate) keys: &'static [(&'static str, Shape)],
    /// Keys that must be there once all files are merged.
    pub(crate) required: &'static [&'static str],
    pub(crate) others: Others,
}

/// Which keys are allowed beside the known ones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// None.
    Refused,
    /// `x-…`.
    Extensions,
    /// All; Compose pays no attention to them.
    Ignored,
}

impl Object {
    const fn new(name: &'static str, keys: &'static [(&'static str, Shape)]) -> Self {
        Self { name, keys, required: &[], others: Others::Extensions }
    }

    const fn closed(name: &'static str, keys: &'static [(&'static str, Shape)]) -> Self {
        Self { name, keys, required: &[], others: Others::Refused }
    }

    const fn lenient(name: &'static str, keys: &'static [(&'static str, Shape)]) -> Self {
        Self { name, keys, required: &[], others: Others::Ignored }
    }

    const fn required(self, required: &'static [&'static str]) -> Self {
        Self { required, ..self }
    }

    /// The shape under a key.
    pub(crate) fn key(&self, key: &str) -> Option<&'static Shape> {
        let found = self.keys.iter().find(|(name, _)| *name == key).map(|(_, shape)| shape);
        found.or_else(|| (self.others != Others::Refused && key.starts_with("x-")).then_some(&Shape::Any))
    }
}

const TEXTS: Shape = Shape::List(&Shape::Text);
const UNIQUE_TEXTS: Shape = Shape::Unique(&Shape::Text);
const PLAINS: Shape = Shape::List(&Shape::Plain);
const TEXT_OR_LIST: Shape = Shape::Either(&[Shape::Text, TEXTS]);
const TEXT_OR_UNIQUE: Shape = Shape::Either(&[Shape::Text, UNIQUE_TEXTS]);
const COMMAND: Shape = Shape::Maybe(&TEXT_OR_LIST);
const PLAIN_MAP: Shape = Shape::Map(&Shape::Plain);
/// Options of a driver.
const OPTIONS: Shape = Shape::Map(&Shape::Of(&[Type::Text, Type::Integer, Type::Fraction]));
/// A list of which Compose keeps one entry per name, or a map.
const LIST_OR_MAP: Shape = Shape::Either(&[TEXTS, PLAIN_MAP]);
const UNIQUE_OR_MAP: Shape = Shape::Either(&[UNIQUE_TEXTS, PLAIN_MAP]);
const BOOLEAN_OR_TEXT: Shape = Shape::Of(&[Type::Boolean, Type::Text]);
const HOSTS: Shape =
    Shape::Either(&[Shape::Unique(&Shape::Form(&HOST)), Shape::Map(&Shape::Either(&[Shape::Text, TEXTS]))]);
/// Variables; a list of which Compose keeps one entry per name, or a map.
const ENVIRONMENT: Shape = Shape::Either(&[Shape::List(&Shape::Form(&VARIABLE)), PLAIN_MAP]);

/// As [`ENVIRONMENT`], and nothing twice.
const UNIQUE_ENVIRONMENT: Shape = Shape::Either(&[Shape::Unique(&Shape::Form(&VARIABLE)), PLAIN_MAP]);

static HOST: Form = Form {
    expected: "a name and an address such as `db=10.0.0.5`",
    types: &[Type::Text],
    accepts: |text| text.find(['=', ':']).is_some_and(|index| index > 0),
    enforced: true,
};

static VARIABLE: Form = Form {
    expected: "a variable such as `NAME=value`, without a space in front of `=`",
    types: &[Type::Text],
    accepts: |text| !text.split('=').next().unwrap_or_default().ends_with(char::is_whitespace),
    enforced: true,
};
