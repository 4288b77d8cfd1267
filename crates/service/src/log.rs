//! Logs as JSON: one line per event, with time, level, message, and the request and trace it belongs to.

mod fields;

use std::panic::PanicHookInfo;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry};

use crate::environment;
use fields::Fields;

/// Takes one whole line, with its line break.
pub type LineWriter = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// A `tracing` layer that writes each event as one line of JSON.
///
/// Keys: `time` (ISO 8601, UTC, milliseconds), `level`, `message`, `service`, then the fields of the spans around the
/// event (`request_id` and `trace_id` within a request) and of the event itself. Fields cannot replace the first four.
pub struct JsonLog {
    service: &'static str,
    clock: fn() -> Timestamp,
    writer: LineWriter,
}

impl JsonLog {
    /// A log of `service`, with the time by `clock`, that hands its lines to `writer`.
    pub fn new(service: &'static str, clock: fn() -> Timestamp, writer: LineWriter) -> Self {
        Self { service, clock, writer }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for JsonLog {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let mut line = Map::new();
        let time = (self.clock)().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        line.insert("time".to_owned(), Value::String(time));
        line.insert("level".to_owned(), Value::String(event.metadata().level().as_str().to_lowercase()));
        line.insert("message".to_owned(), own.take_message());
        line.insert("service".to_owned(), Value::from(self.service));
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(fields) = span.extensions().get::<Fields>() {
                fields.add_to(&mut line);
            }
        }
        own.add_to(&mut line);
        let mut bytes = Value::Object(line).to_string().into_bytes();
        bytes.push(b'\n');
        (self.writer)(&bytes);
    }
}

/// Sends this process's events, and its panics, to standard output as JSON. Does nothing when that was done before.
pub(crate) fn start(service: &'static str, level: &str) {
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = JsonLog::new(service, environment::now, Arc::new(environment::write_line));
    if Registry::default().with(filter).with(log).try_init().is_ok() {
        std::panic::set_hook(Box::new(tell_of_panic));
    }
}

fn tell_of_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("of an unknown kind");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(panic = message, place, "the program panicked");
}
