//! The fields of an event or a span.

use std::error::Error;
use std::fmt::Debug;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};

use crate::program::with_causes;

/// Keys that every line has; a field of the same name is kept as `field_<name>`.
const RESERVED: [&str; 4] = ["time", "level", "message", "service"];
/// Longer texts are cut, so that one event cannot fill the log.
const MAX_TEXT: usize = 16 * 1024;

/// The fields of an event or a span, in the order in which they were recorded.
#[derive(Debug, Default)]
pub(super) struct Fields {
    values: Vec<(&'static str, Value)>,
    message: Option<Value>,
}

impl Fields {
    pub(super) fn take_message(&mut self) -> Value {
        self.message.take().unwrap_or_else(|| Value::from(""))
    }

    /// Adds the fields to a line; a later one of the same name wins.
    pub(super) fn add_to(&self, line: &mut Map<String, Value>) {
        for (name, value) in &self.values {
            let key = if RESERVED.contains(name) { format!("field_{name}") } else { (*name).to_owned() };
            line.insert(key, value.clone());
        }
    }

    fn put(&mut self, field: &Field, value: Value) {
        if field.name() == "message" {
            self.message = Some(value);
        } else {
            self.values.push((field.name(), value));
        }
    }

    fn put_text(&mut self, field: &Field, text: &str) {
        let end = text.floor_char_boundary(MAX_TEXT);
        let text = if end < text.len() { format!("{}…", &text[..end]) } else { text.to_owned() };
        self.put(field, Value::String(text));
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::from(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put_text(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put_text(field, &with_causes(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put_text(field, &format!("{value:?}"));
    }
}
