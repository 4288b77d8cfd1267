//! Who a request is: its own id, and the trace it belongs to.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;
use tracing::Instrument;

use crate::identity::random_hex;
use crate::metrics::Metrics;
use crate::passage::Passage;
use crate::recover::recover;
use crate::{Stop, TraceContext};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");
/// Longer request ids are replaced: they are written into every log line.
const MAX_REQUEST_ID: usize = 128;

/// Who a request is. Handlers take it with `Extension<RequestIdentity>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestIdentity {
    request_id: String,
    trace: TraceContext,
}

impl RequestIdentity {
    /// Takes the request id and the trace from the headers; makes what is absent or not valid.
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let given = text(&REQUEST_ID).filter(|id| is_request_id(id)).map(str::to_owned);
        let trace = TraceContext::of(text(&TRACE_PARENT), text(&TRACE_STATE));
        Self { request_id: given.unwrap_or_else(random_hex::<16>), trace }
    }

    /// The request's id.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The trace it belongs to.
    pub fn trace(&self) -> &TraceContext {
        &self.trace
    }

    /// The headers that pass it on, for requests that this one gives rise to.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        self.write_to(&mut headers);
        headers
    }

    fn write_to(&self, headers: &mut HeaderMap) {
        let parent = self.trace.to_string();
        let state = self.trace.state();
        for (name, text) in [
            (REQUEST_ID, Some(self.request_id.as_str())),
            (TRACE_PARENT, Some(&parent)),
            (TRACE_STATE, state),
        ] {
            headers.remove(&name);
            if let Some(value) = text.and_then(|text| HeaderValue::from_str(text).ok()) {
                headers.insert(name, value);
            }
        }
    }
}

/// Whether a client's request id can be written into logs and headers as it is.
fn is_request_id(id: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(is_safe)
}

/// What the middleware needs to know.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) stop: Stop,
    pub(crate) request_limit: Duration,
}

/// Middleware around every route: identity, span, measure, log line, and no panic past it.
pub(crate) async fn pass(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let identity = RequestIdentity::of(request.headers());
    // An error span is on at every level, so that warnings and errors have their ids however little is logged.
    let span = tracing::error_span!(
        "request",
        request_id = identity.request_id,
        trace_id = identity.trace.trace_id()
    );
    identity.write_to(request.headers_mut());
    request.extensions_mut().insert(identity.clone());
    async move {
        let passage = Passage::begin(gate.metrics, &request);
        let answer = timeout(gate.request_limit, recover(next.run(request)));
        let mut response = answer.await.unwrap_or_else(|_| StatusCode::SERVICE_UNAVAILABLE.into_response());
        passage.answered(response.status().as_u16());
        if let Ok(value) = HeaderValue::from_str(&identity.request_id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        if gate.stop.is_requested() {
            // So that clients do not send their next request into a connection that is about to end.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
    .instrument(span)
    .await
}
