//! Numbers and booleans that stand where a text is wanted, written as Compose would write them.

use crate::load::scalar;
use crate::{Node, ScalarStyle, Value};

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

/// The text of a plain number (YAML 1.2 core schema, and the old `0644` octal that Compose still reads).
fn number(text: &str) -> Option<String> {
    let float = || scalar::float(text).map(scalar::float_text);
    scalar::integer(text).map(|value| value.to_string()).or_else(float)
}
