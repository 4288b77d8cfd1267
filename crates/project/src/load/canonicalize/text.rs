//! Numbers and booleans that stand where a text is wanted, written as Compose would write them.

use crate::load::scalar;
use crate::{Node, ScalarStyle, Value};

/// Makes a scalar a text: a plain `0x10` becomes `16` and `1.50` becomes `1.5`, as Compose reads and prints numbers.
pub(super) fn normalize(node: &mut Node) {
    let Value::Scalar(scalar) = &mut node.value else { return };
    scalar.text = scalar::normal(scalar);
    scalar.style = ScalarStyle::Quoted;
}
