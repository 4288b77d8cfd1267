//! What a route answers by itself comes before its backends.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{HeaderMap, Request, Response, StatusCode};

use crate::compress::{self, Packed, Wish};
use crate::files::{FileBody, Found};
use crate::headers::forwarded::was_secure;
use crate::headers::{self, Identity};
use crate::maintenance::Maintenance;
use crate::rim;
use crate::site::{Asked, MESSAGE};
use crate::table::LiveRoute;
use crate::tls::{Via, guard};
use crate::worker::Gateway;

use super::{Answer, Asking, Story, instead, leave_unread, pass, plain, told};

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
    if let Some((status, headers)) = route.site.elsewhere(&asked(&request, &asking)) {
        return instead(status, headers, &request, &asking.framing, &asking.identity, story);
    }
    match route.site.enter(asking.origin.client) {
        Ok(seat) => story.seat(seat),
        Err(status) => {
            story.refused("too-many-at-a-time");
            let again = HeaderMap::from_iter([(RETRY_AFTER, 1.into())]);
            return instead(status, again, &request, &asking.framing, &asking.identity, story);
        }
    }
    if let Some(login) = route.site.login()
        && let Err((status, headers)) = login.check(request.headers_mut(), asking.origin.client).await
    {
        story.refused("login");
        return instead(status, headers, &request, &asking.framing, &asking.identity, story);
    }
    let list = route.site.files(&gateway.place, &route.project).await;
    let found = list.and_then(|list| {
        route.site.file(list, &asked(&request, &asking), request.method(), request.headers())
    });
    if let Some(found) = found {
        let mut answer = filed(found, (asking.identity.clone(), asking.via), route, gateway, story).await;
        leave_unread(&mut answer, &request, &asking.framing);
        return answer;
    }
    let Some((name, choice)) = route.site.canary(request.headers(), asking.origin.client) else {
        return pass(request, asking, route, gateway, story).await;
    };
    let other = choice.canary.then(|| gateway.table.load().named(&route.project, name).cloned()).flatten();
    // Where it has nobody to answer, the first one does.
    let other = other.filter(|other| !other.backends.is_empty());
    let secure = is_secure(&request, &asking);
    if let Some(other) = &other {
        story.route(other);
    }
    let mut answer = pass(request, asking, other.as_ref().unwrap_or(route), gateway, story).await;
    route.site.keep_to(choice, secure, answer.headers_mut());
    answer
}

fn is_secure(request: &Request<Incoming>, asking: &Asking) -> bool {
    asking.via == Via::Tls || was_secure(request.headers(), asking.origin)
}

fn asked<'a>(request: &'a Request<Incoming>, asking: &'a Asking) -> Asked<'a> {
    let scheme = if is_secure(request, asking) { "https" } else { "http" };
    Asked { target: request.uri(), path: &asking.place.path, host: &asking.place.host.sent, scheme }
}

/// The answer with a file.
async fn filed(
    found: Found,
    (identity, via): (Identity, Via),
    route: &LiveRoute,
    gateway: &Gateway,
    mut story: Story,
) -> Response<Answer> {
    let Found { status, headers: mut own, part } = found;
    headers::back(&mut own, &identity);
    guard::strict(&mut own, route, via);
    let Some((name, bytes)) = part else { return told(status, own, story) };
    let path = gateway.place.files(&route.project).join(name);
    match tokio::task::spawn_blocking(move || rim::open(&path)).await {
        Ok(Ok(file)) => {
            story.status(status);
            let body = FileBody::new(file, (bytes.start, bytes.end), story);
            let mut answer = Response::new(Answer::File(body));
            *answer.status_mut() = status;
            *answer.headers_mut() = own;
            answer
        }
        _ => plain(StatusCode::INTERNAL_SERVER_ERROR, &identity, story),
    }
}

/// Makes an answer shorter where it pays.
pub(super) fn pack(answer: Response<Answer>, route: &LiveRoute, wish: Wish) -> Response<Answer> {
    let Some(told) = route.site.compression() else { return answer };
    let (mut head, body) = answer.into_parts();
    let length = body.size_hint().exact();
    let body = match compress::dress(told, wish, head.status, &mut head.headers, length) {
        Some((coding, turn)) => Answer::Packed(Box::new(Packed::new(body, coding, turn))),
        None => body,
    };
    Response::from_parts(head, body)
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
    let bare = matches!(answer.body(), Answer::Own(own) if own.is_end_stream());
    if let Some(page) = route.site.page(answer.status()).filter(|_| bare) {
        fill(answer, page, HTML);
    }
}

fn fill(answer: &mut Response<Answer>, text: Bytes, kind: HeaderValue) {
    *answer.body_mut() = Answer::Own(Full::new(text));
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
