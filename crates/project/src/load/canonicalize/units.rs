//! Scalars in one spelling each: sizes in bytes, durations in Compose's units, numbers and booleans plain, texts quoted.

use crate::load::schema::{Object, Shape, check, reading};
use crate::{Node, Value};

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
        Shape::List(inner) | Shape::Unique(inner) | Shape::Map(inner) | Shape::Named(inner) => {
            node.children_mut().for_each(|child| respell(child, inner));
        }
        Shape::Maybe(inner) => respell(node, inner),
        Shape::Either(choices) => {
            let found = choices.iter().find(|choice| check::fits(node, choice));
            found.into_iter().for_each(|choice| respell(node, choice));
        }
        Shape::Any if node.text().is_none() => {
            node.children_mut().for_each(|child| respell(child, &Shape::Any));
        }
        _ => {
            if let Value::Scalar(scalar) = &mut node.value
                && let Some(respelled) = reading::read(scalar, shape)
            {
                *scalar = respelled;
            }
        }
    }
}
