//! The numbers of the specification, each with what may be written for it.

use super::{Fractions, Number, Texts};

const ANY: Number = Number {
    expected: "a whole number",
    texts: Texts::Whole,
    fractions: Fractions::Whole,
    least: i64::MIN,
    most: i64::MAX,
    usual: None,
};

const AT_LEAST_ZERO: Number = Number { expected: "a whole number of 0 or more", least: 0, ..ANY };

/// A limit, of which a negative one says that there is none.
pub(super) static SIGNED: Number = ANY;
/// A number of things.
pub(super) static COUNT: Number = AT_LEAST_ZERO;
/// A number of things of which a part does not count.
pub(super) static CUT_COUNT: Number = Number { fractions: Fractions::Cut, ..AT_LEAST_ZERO };
/// A whole number, of which a fraction does not count.
pub(super) static CUT: Number = Number { fractions: Fractions::Cut, ..ANY };
/// As [`CUT`], and no text.
pub(super) static PRIORITY: Number = Number { texts: Texts::None, fractions: Fractions::Cut, ..ANY };
/// A number that no text may stand for.
pub(super) static WHOLE: Number = Number { texts: Texts::None, ..ANY };
/// A limit or number that only digits may stand for.
pub(super) static EXACT: Number = Number { fractions: Fractions::Never, ..ANY };
/// As [`EXACT`], and no text.
pub(super) static EXACT_NUMBER: Number = Number { texts: Texts::None, fractions: Fractions::Never, ..ANY };
pub(super) static PERCENT: Number =
    Number { expected: "a whole number from 0 to 100", texts: Texts::Fraction, least: 0, most: 100, ..ANY };
pub(super) static OUT_OF_MEMORY_SCORE: Number =
    Number { expected: "a whole number from -1000 to 1000", least: -1000, most: 1000, ..ANY };
pub(super) static WEIGHT: Number =
    Number { expected: "a whole number from 0 to 65535", texts: Texts::None, least: 0, most: 65_535, ..ANY };
pub(super) static RATIO: Number =
    Number { expected: "a number", texts: Texts::Fraction, fractions: Fractions::Kept, ..ANY };
pub(super) static PORT: Number = Number {
    expected: "a port number from 1 to 65535",
    least: 0,
    most: u32::MAX as i64,
    usual: Some((1, 65_535)),
    ..ANY
};
/// Permission bits of a file system in memory.
pub(super) static BITS: Number = Number {
    expected: "permission bits such as `0o1777`",
    texts: Texts::None,
    fractions: Fractions::Cut,
    least: 0,
    most: u32::MAX as i64,
    usual: None,
};
