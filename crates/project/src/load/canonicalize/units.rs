//! Scalars in one spelling each: sizes in bytes, durations in Compose's units, numbers and booleans plain, texts quoted.

use std::time::Duration;

use crate::load::scalar;
use crate::load::schema::{Object, Shape, check};
use crate::{Bytes, Node, Scalar, ScalarStyle, Value, parse_duration};

/// Respells the scalars of a canonical tree that was checked.
pub(super) fn respell_object(node: &mut Node, object: &'static Object) {
    for entry in node.entries_mut().into_iter().flatten() {
        if let Some(shape) = object.key(&entry.key.value) {
            respell(&mut entry.node, shape);
        }
    }
}

fn respell(node: &mut Node, shape: &'static Shape) {
    match shape {
        Shape::Object(object) => respell_object(node, object),
        Shape::List(inner) | Shape::Map(inner) => node.children_mut().for_each(|child| respell(child, inner)),
        Shape::Either(choices) => {
            let found = choices.iter().find(|choice| check::fits(node, choice));
            found.into_iter().for_each(|choice| respell(node, choice));
        }
        Shape::Any if node.text().is_none() => {
            node.children_mut().for_each(|child| respell(child, &Shape::Any))
        }
        _ => {
            if let Value::Scalar(scalar) = &mut node.value
                && let Some(respelled) = spelling(scalar, shape)
            {
                *scalar = respelled;
            }
        }
    }
}

fn spelling(scalar: &Scalar, shape: &Shape) -> Option<Scalar> {
    let text = &scalar.text;
    let plain = |text: String| Some(Scalar { text, style: ScalarStyle::Plain });
    let quoted = |text: String| Some(Scalar { text, style: ScalarStyle::Quoted });
    match shape {
        Shape::Boolean => plain(scalar::boolean(text)?.to_string()),
        Shape::Integer => plain(scalar::integer(text)?.to_string()),
        Shape::Number | Shape::Processors => {
            let integer = scalar::integer(text).map(|value| value.to_string());
            plain(integer.or_else(|| scalar::float(text).map(|value| value.to_string()))?)
        }
        Shape::Size => {
            quoted(if text == "-1" { text.clone() } else { Bytes::parse(text).ok()?.0.to_string() })
        }
        Shape::Duration => quoted(duration(parse_duration(text).ok()?)),
        Shape::Text | Shape::Choice(_) | Shape::Known(_) => quoted(text.clone()),
        // Only what YAML takes for a number or a boolean is plain.
        _ if !check::is_typed(text) => quoted(text.clone()),
        _ => None,
    }
}

/// A duration as Compose prints it: `1m30s`, `1h0m0s`, `1.5s`, `500ms`.
fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds == 0 {
        return match duration.subsec_nanos() {
            0 => "0s".to_owned(),
            nanos if nanos >= 1_000_000 => format!("{}ms", f64::from(nanos) / 1e6),
            nanos => format!("{}us", f64::from(nanos) / 1e3),
        };
    }
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let rest = (seconds % 60) as f64 + f64::from(duration.subsec_micros()) / 1e6;
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, minutes) => format!("{minutes}m{rest}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{rest}s"),
    }
}
