//! What a route answers by itself comes before its backends.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{HeaderMap, Request, Response, StatusCode};

use crate::headers::forwarded::was_secure;
use crate::maintenance::Maintenance;
use crate::site::Asked;
use crate::table::LiveRoute;
use crate::tls::Via;
use crate::worker::Gateway;

use super::{Answer, Asking, Story, instead, pass};

/// Answers a request that was let in, by itself or by a backend.
pub(super) async fn serve(
    mut request: Request<Incoming>,
    asking: Asking,
    route: &Arc<LiveRoute>,
    gateway: &Arc<Gateway>,
    mut story: Story,
) -> Response<Answer> {
    if let Some(closed) = gateway.closed.get(&route.project)
        && !closed.lets_in(asking.origin.client)
    {
        story.refused("maintenance");
        return maintained(&closed, &request, &asking, route, story);
    }
    if let Some(headers) = route.site.preflight(request.method(), request.headers()) {
        return instead(StatusCode::NO_CONTENT, headers, &request, &asking.framing, &asking.identity, story);
    }
    if let Some((status, headers)) = elsewhere(&request, &asking, route) {
        return instead(status, headers, &request, &asking.framing, &asking.identity, story);
    }
    if let Some(login) = route.site.login()
        && let Err((status, headers)) = login.check(request.headers_mut(), asking.origin.client).await
    {
        story.refused("login");
        return instead(status, headers, &request, &asking.framing, &asking.identity, story);
    }
    pass(request, asking, route, gateway, story).await
}

/// Where its route sends a request, if it does.
fn elsewhere(
    request: &Request<Incoming>,
    asking: &Asking,
    route: &LiveRoute,
) -> Option<(StatusCode, HeaderMap)> {
    let secure = asking.via == Via::Tls || was_secure(request.headers(), asking.origin);
    let scheme = if secure { "https" } else { "http" };
    let (path, host) = (asking.place.path.as_str(), &asking.place.host.sent);
    route.site.elsewhere(&Asked { target: request.uri(), path, host, scheme })
}

/// The answer to who comes while its project is being worked on.
fn maintained(
    closed: &Maintenance,
    request: &Request<Incoming>,
    asking: &Asking,
    route: &LiveRoute,
    story: Story,
) -> Response<Answer> {
    let again = HeaderMap::from_iter([(RETRY_AFTER, closed.retry_after_seconds.into())]);
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut answer = instead(status, again, request, &asking.framing, &asking.identity, story);
    let message = closed.message.as_deref();
    if let Some(page) = route.site.maintenance(request.headers()) {
        let page = match std::str::from_utf8(&page) {
            Ok(text) if text.contains(MESSAGE) => {
                text.replace(MESSAGE, &escaped(message.unwrap_or_default())).into()
            }
            _ => page,
        };
        fill(&mut answer, page, HTML);
    } else if let Some(message) = message {
        fill(&mut answer, format!("{message}\n").into(), TEXT);
    }
    answer
}

/// Stands in a page for what the user says of the work.
const MESSAGE: &str = "{{message}}";
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Shows the user's page in an answer of the gateway's own that has no body.
pub(super) fn show(answer: &mut Response<Answer>, route: &LiveRoute) {
    let bare = matches!(answer.body(), Either::Left(own) if own.is_end_stream());
    if let Some(page) = route.site.page(answer.status()).filter(|_| bare) {
        fill(answer, page, HTML);
    }
}

fn fill(answer: &mut Response<Answer>, text: Bytes, kind: HeaderValue) {
    *answer.body_mut() = Either::Left(Full::new(text));
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
