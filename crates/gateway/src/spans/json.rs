//! How spans are written (OTLP as JSON, attributes as OpenTelemetry names them): numbers of 64 bits as text, identities in
//! hexadecimal digits.

use std::time::Duration;

use hyper::Version;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Context, Recording, Span, Try, TryEnd};

/// What a span is of: a request that is answered, and one that is sent on.
const SERVER: u8 = 2;
const CLIENT: u8 = 3;
/// Something went wrong.
const ERROR: u8 = 2;
/// The service, where none is named.
const OWN_NAME: &str = "seaworthy-gateway";
/// Characters that are told of what a client may make long.
const MOST_PATH: usize = 1024;
const MOST_AGENT: usize = 256;
/// Methods by their names; a client may make up others, and names of spans are to be few.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
const OTHER_METHOD: &str = "_OTHER";

/// A batch of one service.
pub(super) fn text(service: Option<&str>, spans: &[Span]) -> String {
    let spans: Vec<Value> = spans.iter().flat_map(all_of).collect();
    let version = env!("CARGO_PKG_VERSION");
    json!({
        "resourceSpans": [{
            "resource": { "attributes": [text_of("service.name", service.unwrap_or(OWN_NAME))] },
            "scopeSpans": [{
                "scope": { "name": OWN_NAME, "version": version },
                "spans": spans,
            }],
        }],
    })
    .to_string()
}

/// The span of a request, and those of its tries.
fn all_of(span: &Span) -> impl Iterator<Item = Value> {
    let tries = span.recording.tries.iter().enumerate();
    std::iter::once(request(span)).chain(tries.map(|(number, one)| sent_on(span, number, one)))
}

fn request(span: &Span) -> Value {
    let Recording { context, scheme, host, port, peer, version, agent, tries } = &span.recording;
    let mut attributes = about_method(&span.method);
    attributes.extend([
        text_of("url.scheme", scheme),
        text_of("url.path", cut(&span.path, MOST_PATH)),
        text_of("server.address", host),
        number_of("server.port", *port),
        text_of("client.address", &span.client.to_string()),
        text_of("network.peer.address", &peer.to_string()),
        text_of("network.protocol.version", number(*version)),
        number_of("http.response.body.size", i64::try_from(span.bytes).unwrap_or(i64::MAX)),
        text_of("seaworthy.project", &span.project),
        text_of("seaworthy.route", &span.route),
        text_of("seaworthy.request_id", &span.request_id),
        number_of("seaworthy.queue_ms", i64::try_from(span.queued.as_millis()).unwrap_or(i64::MAX)),
    ]);
    attributes.extend(span.status.map(|status| number_of("http.response.status_code", status)));
    // One that answers all paths says nothing by it.
    let prefix = Some(span.prefix.as_str()).filter(|prefix| *prefix != "/");
    attributes.extend(prefix.map(|prefix| text_of("http.route", prefix)));
    attributes.extend(agent.as_ref().map(|agent| text_of("user_agent.original", cut(agent, MOST_AGENT))));
    attributes.extend(tries.last().map(|last| text_of("seaworthy.backend", &last.backend)));
    attributes.extend(span.refused.map(|why| text_of("seaworthy.refused", why)));
    // What a client did wrong is no error of whoever answers it.
    let error = match span.status {
        None => Some("client-gone".to_owned()),
        Some(status) => (status >= 500).then(|| status.to_string()),
    };
    attributes.extend(error.as_ref().map(|error| text_of("error.type", error)));
    let is_error = error.is_some() && span.status.is_some();
    let name = format!("{} {}", named(&span.method), span.route);
    let times = (span.began, span.took);
    told(context, (&context.own, context.parent.as_deref()), (name, SERVER), times, attributes, is_error)
}

fn sent_on(span: &Span, number: usize, one: &Try) -> Value {
    let context = &span.recording.context;
    let mut attributes = about_method(&span.method);
    let url = format!("http://{}{}", one.address, cut(&one.path, MOST_PATH));
    attributes.extend([
        text_of("url.full", &url),
        text_of("server.address", &one.address.ip().to_string()),
        number_of("server.port", one.address.port()),
        text_of("seaworthy.backend", &one.backend),
    ]);
    attributes.extend(
        (number > 0).then(|| number_of("http.request.resend_count", i64::try_from(number).unwrap_or(0))),
    );
    let error = match one.end {
        TryEnd::Left => Some("client-gone".to_owned()),
        TryEnd::Failed(why) => Some(why.to_owned()),
        TryEnd::Answered(status) => {
            attributes.push(number_of("http.response.status_code", status));
            (status >= 400).then(|| status.to_string())
        }
    };
    attributes.extend(error.as_ref().map(|error| text_of("error.type", error)));
    let began = after(span.began, one.began);
    let took = one.took.unwrap_or_else(|| span.took.saturating_sub(one.began));
    let is_error = error.is_some() && one.end != TryEnd::Left;
    let what = (named(&span.method).to_owned(), CLIENT);
    told(context, (&one.own, Some(&context.own)), what, (began, took), attributes, is_error)
}

fn told(
    context: &Context,
    (own, parent): (&str, Option<&str>),
    (name, kind): (String, u8),
    (began, took): (Timestamp, Duration),
    attributes: Vec<Value>,
    is_error: bool,
) -> Value {
    let mut told = json!({
        "traceId": context.trace,
        "spanId": own,
        "flags": context.flags,
        "name": name,
        "kind": kind,
        "startTimeUnixNano": began.as_nanosecond().to_string(),
        "endTimeUnixNano": after(began, took).as_nanosecond().to_string(),
        "attributes": attributes,
        "status": {},
    });
    if let Some(parent) = parent {
        told["parentSpanId"] = parent.into();
    }
    if is_error {
        told["status"] = json!({ "code": ERROR });
    }
    told
}

fn after(time: Timestamp, later: Duration) -> Timestamp {
    SignedDuration::try_from(later).ok().and_then(|later| time.checked_add(later).ok()).unwrap_or(time)
}

/// The method as spans are named by it.
fn named(method: &str) -> &str {
    if METHODS.contains(&method) { method } else { "HTTP" }
}

fn about_method(method: &str) -> Vec<Value> {
    if METHODS.contains(&method) {
        return vec![text_of("http.request.method", method)];
    }
    let original = cut(method, MOST_AGENT);
    vec![text_of("http.request.method", OTHER_METHOD), text_of("http.request.method_original", original)]
}

/// The version as it is spoken of.
fn number(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}

fn text_of(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn number_of(key: &str, value: impl Into<i64>) -> Value {
    json!({ "key": key, "value": { "intValue": value.into().to_string() } })
}

fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span() -> Span {
        let one = Try {
            own: "1111111111111111".into(),
            began: Duration::from_millis(3),
            took: Some(Duration::from_millis(2)),
            backend: "web-1".into(),
            address: "10.0.0.3:8080".parse().unwrap(),
            path: "/b".into(),
            end: TryEnd::Failed("unreachable"),
        };
        let other = Try { own: "2".repeat(16), took: None, end: TryEnd::Answered(503), ..one.clone() };
        Span {
            recording: Recording {
                context: Context {
                    trace: "0af7651916cd43dd8448eb211c80319c".into(),
                    parent: Some("b7ad6b7169203331".into()),
                    own: "00f067aa0ba902b7".into(),
                    flags: 1,
                },
                scheme: "https",
                host: "shop.example".into(),
                port: 443,
                peer: "192.0.2.9".parse().unwrap(),
                version: Version::HTTP_2,
                agent: Some("é".repeat(500)),
                tries: vec![one, other],
            },
            began: "2026-11-21T10:00:00Z".parse().unwrap(),
            took: Duration::from_millis(1500),
            queued: Duration::from_millis(3),
            project: "shop".into(),
            route: "web".into(),
            prefix: "/a".into(),
            client: "192.0.2.1".parse().unwrap(),
            method: "GET".into(),
            path: "/a/b".into(),
            status: Some(503),
            bytes: 7,
            request_id: "id".into(),
            refused: None,
        }
    }

    fn written(span: Span) -> Vec<Value> {
        let told: Value = serde_json::from_str(&text(Some("shop"), &[span])).unwrap();
        let whole = &told["resourceSpans"][0];
        assert_eq!(value(&whole["resource"], "service.name"), "shop");
        whole["scopeSpans"][0]["spans"].as_array().unwrap().clone()
    }

    fn value(of: &Value, key: &str) -> String {
        let found = of["attributes"].as_array().unwrap().iter().find(|one| one["key"] == key);
        let value = found.map(|found| &found["value"]).cloned().unwrap_or_default();
        value["stringValue"].as_str().or(value["intValue"].as_str()).unwrap_or_default().to_owned()
    }

    #[test]
    fn a_span_is_as_the_format_has_it() {
        let spans = written(span());
        let [request, first, second] = spans.as_slice() else { panic!("{spans:?}") };
        assert_eq!(request["traceId"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!((&request["spanId"], &request["kind"]), (&"00f067aa0ba902b7".into(), &2.into()));
        assert_eq!(
            (&request["parentSpanId"], &request["name"]),
            (&"b7ad6b7169203331".into(), &"GET web".into())
        );
        assert_eq!(request["startTimeUnixNano"], "1795255200000000000");
        assert_eq!(request["endTimeUnixNano"], "1795255201500000000");
        assert_eq!(request["status"]["code"], 2);
        for (key, expected) in [
            ("http.request.method", "GET"),
            ("http.response.status_code", "503"),
            ("http.route", "/a"),
            ("url.path", "/a/b"),
            ("url.scheme", "https"),
            ("server.address", "shop.example"),
            ("server.port", "443"),
            ("client.address", "192.0.2.1"),
            ("network.peer.address", "192.0.2.9"),
            ("network.protocol.version", "2"),
            ("error.type", "503"),
            ("seaworthy.backend", "web-1"),
        ] {
            assert_eq!(value(request, key), expected, "{key}");
        }
        assert_eq!(value(request, "user_agent.original").len(), MOST_AGENT);
        for one in [first, second] {
            assert_eq!((&one["parentSpanId"], &one["kind"]), (&request["spanId"], &3.into()));
            assert_eq!((&one["name"], &one["status"]["code"]), (&"GET".into(), &2.into()));
            assert_eq!(one["startTimeUnixNano"], "1795255200003000000");
            assert_eq!(value(one, "url.full"), "http://10.0.0.3:8080/b");
        }
        assert_eq!(
            (&first["endTimeUnixNano"], value(first, "error.type")),
            (&"1795255200005000000".into(), "unreachable".into())
        );
        assert_eq!(
            (&second["endTimeUnixNano"], value(second, "error.type")),
            (&request["endTimeUnixNano"], "503".into())
        );
        assert_eq!(value(second, "http.request.resend_count"), "1");
    }

    #[test]
    fn what_is_the_clients_matter_is_no_error() {
        let mut one = span();
        (one.recording.context.parent, one.status, one.method) = (None, Some(404), "BREW".repeat(100));
        let request = &written(one)[0];
        assert!(request.get("parentSpanId").is_none());
        assert_eq!((&request["status"], value(request, "error.type")), (&json!({}), String::new()));
        assert_eq!(
            (&request["name"], value(request, "http.request.method")),
            (&"HTTP web".into(), "_OTHER".into())
        );
        assert_eq!(value(request, "http.request.method_original").len(), MOST_AGENT);
        // It did not wait.
        let mut one = span();
        one.status = None;
        one.recording.tries.truncate(1);
        one.recording.tries[0].end = TryEnd::Left;
        for told in written(one) {
            assert_eq!((&told["status"], value(&told, "error.type")), (&json!({}), "client-gone".into()));
            assert_eq!(value(&told, "http.response.status_code"), "");
        }
    }
}
