//! How spans are written (OTLP 1.x as JSON): numbers of 64 bits as text, identities in hexadecimal digits.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::Span;

/// What the span is of: a request that is answered.
const SERVER: u8 = 2;
const ERROR: u8 = 2;
/// Characters of a method and of a path that are told: a client may make them long.
const METHOD: usize = 32;
const PATH: usize = 1024;

pub(super) fn text(spans: &[Span]) -> String {
    let spans: Vec<Value> = spans.iter().map(span).collect();
    json!({
        "resourceSpans": [{
            "resource": { "attributes": [text_of("service.name", "seaworthy-gateway")] },
            "scopeSpans": [{
                "scope": { "name": "seaworthy-gateway", "version": env!("CARGO_PKG_VERSION") },
                "spans": spans,
            }],
        }],
    })
    .to_string()
}

fn span(span: &Span) -> Value {
    let (method, path) = (cut(&span.method, METHOD), cut(&span.path, PATH));
    let end = SignedDuration::try_from(span.took).ok().and_then(|took| span.began.checked_add(took).ok());
    let mut attributes = vec![
        text_of("http.request.method", method),
        text_of("url.path", path),
        number_of("http.response.status_code", span.status.into()),
        number_of("http.response.body.size", i64::try_from(span.bytes).unwrap_or(i64::MAX)),
        text_of("client.address", &span.client.to_string()),
        text_of("seaworthy.project", &span.project),
        text_of("seaworthy.route", &span.route),
        text_of("seaworthy.request_id", &span.request_id),
        number_of("seaworthy.queue_ms", i64::try_from(span.queued.as_millis()).unwrap_or(i64::MAX)),
    ];
    let backend = Some(&span.backend).filter(|backend| !backend.is_empty());
    attributes.extend(backend.map(|backend| text_of("seaworthy.backend", backend)));
    attributes.extend(span.refused.map(|why| text_of("seaworthy.refused", why)));
    attributes
        .extend(span.retried.then(|| json!({ "key": "seaworthy.retried", "value": { "boolValue": true } })));
    let mut told = json!({
        "traceId": span.context.trace,
        "spanId": span.context.own,
        "name": format!("{method} {}", span.route),
        "kind": SERVER,
        "startTimeUnixNano": span.began.as_nanosecond().to_string(),
        "endTimeUnixNano": end.unwrap_or(span.began).as_nanosecond().to_string(),
        "attributes": attributes,
    });
    if let Some(parent) = &span.context.parent {
        told["parentSpanId"] = parent.as_str().into();
    }
    // What a client did wrong is no error of whoever answers it.
    if span.status >= 500 {
        told["status"] = json!({ "code": ERROR });
    }
    told
}

fn text_of(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn number_of(key: &str, value: i64) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}

fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Context;
    use super::*;

    #[test]
    fn a_span_is_as_the_format_has_it() {
        let mut one = Span {
            context: Context {
                trace: "0af7651916cd43dd8448eb211c80319c".into(),
                parent: Some("b7ad6b7169203331".into()),
                own: "00f067aa0ba902b7".into(),
            },
            began: "2026-11-21T10:00:00Z".parse().unwrap(),
            took: Duration::from_millis(1500),
            queued: Duration::from_millis(3),
            project: "shop".into(),
            route: "web".into(),
            backend: String::new(),
            client: "192.0.2.1".parse().unwrap(),
            method: "GET".repeat(50),
            path: "/a".into(),
            status: 503,
            bytes: 7,
            request_id: "id".into(),
            refused: None,
            retried: false,
        };
        let told: Value = serde_json::from_str(&text(std::slice::from_ref(&one))).unwrap();
        let span = &told["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        assert_eq!(span["traceId"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(
            (&span["spanId"], &span["parentSpanId"]),
            (&"00f067aa0ba902b7".into(), &"b7ad6b7169203331".into())
        );
        assert_eq!(span["startTimeUnixNano"], "1795255200000000000");
        assert_eq!(span["endTimeUnixNano"], "1795255201500000000");
        assert_eq!(span["status"]["code"], 2);
        assert_eq!(span["name"].as_str().map(str::len), Some(METHOD + 4));
        assert!(
            told.to_string()
                .contains("{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"503\"}}")
        );
        (one.context.parent, one.status) = (None, 404);
        let told: Value = serde_json::from_str(&text(&[one])).unwrap();
        let span = &told["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        assert!(span.get("parentSpanId").is_none() && span.get("status").is_none());
    }
}
