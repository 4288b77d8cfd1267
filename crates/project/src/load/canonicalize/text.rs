//! Numbers and booleans that stand where a text is wanted, written as Compose would write them.

use crate::load::scalar;
use crate::{Node, ScalarStyle, Value};

/// Go prints an exponent from 21 digits on; such a number in a text is a mistake or an identifier, and left alone.
const MAX_NUMBER_LENGTH: usize = 20;

/// Makes a scalar a text: a plain `0x10` becomes `16` and `1.50` becomes `1.5`, as Compose reads and prints numbers.
pub(super) fn normalize(node: &mut Node) {
    let Value::Scalar(scalar) = &mut node.value else { return };
    if scalar.style == ScalarStyle::Plain {
        if let Some(text) = number(&scalar.text) {
            scalar.text = text;
        }
        if matches!(scalar.text.as_str(), "True" | "TRUE" | "False" | "FALSE") {
            scalar.text.make_ascii_lowercase();
        }
    }
    scalar.style = ScalarStyle::Quoted;
}

/// The decimal text of a plain number (YAML 1.2 core schema, and the old `0644` octal that Compose still reads).
fn number(text: &str) -> Option<String> {
    let float = || scalar::float(text).map(|value| value.to_string());
    let plain = scalar::integer(text).map(|value| value.to_string()).or_else(float)?;
    (plain.len() <= MAX_NUMBER_LENGTH).then_some(plain)
}
