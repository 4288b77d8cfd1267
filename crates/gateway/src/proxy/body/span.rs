//! What a story keeps for its span, where that is told; where it is not, nothing is kept.

use std::net::SocketAddr;

use hyper::header::USER_AGENT;
use hyper::{HeaderMap, Method, Request};

use super::{CLIENT_GONE, Story};
use crate::backend::Backend;
use crate::headers::{self, Identity};
use crate::spans::{MOST_TRIES, Recording, Span, Try, TryEnd};
use crate::tls::Via;

impl Story {
    /// Begins its span, where its route has it told: before anything else is made of its identity.
    pub(in crate::proxy) fn begin_span<B>(
        &mut self,
        identity: &mut Identity,
        request: &Request<B>,
        (host, listen, via): (&str, SocketAddr, Via),
    ) {
        let traces = self.route.as_ref().and_then(|route| route.route.traces.as_ref());
        let Some(context) = traces.and_then(|traces| identity.begin_span(traces.sample_percent)) else {
            return;
        };
        let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        self.span = Some(Box::new(Recording {
            context,
            scheme: via.scheme(),
            host: host.to_owned(),
            port: listen.port(),
            peer: self.client,
            version: request.version(),
            agent: agent.map(str::to_owned),
            tries: Vec::new(),
        }));
    }

    /// It is sent to a backend.
    pub(in crate::proxy) fn begin_try(&mut self, backend: &Backend, path: &str) {
        let Some(span) = self.span.as_mut().filter(|span| span.tries.len() < MOST_TRIES) else { return };
        span.tries.push(Try {
            own: headers::span(),
            began: self.began.elapsed(),
            took: None,
            backend: backend.id.clone(),
            address: backend.address,
            path: path.to_owned(),
            end: TryEnd::Left,
        });
    }

    /// Tells its backend which try its own part belongs to.
    pub(in crate::proxy) fn tell_try(&self, headers: &mut HeaderMap) {
        let Some(span) = &self.span else { return };
        if let Some(last) = span.tries.last().filter(|last| last.took.is_none()) {
            headers::tell_try(headers, &span.context, &last.own);
        }
    }

    /// A try ended; one with an answer lasts as long as that.
    pub(in crate::proxy) fn end_try(&mut self, end: TryEnd) {
        let Some(span) = &mut self.span else { return };
        let Some(last) = span.tries.last_mut().filter(|last| last.took.is_none()) else { return };
        last.end = end;
        if let TryEnd::Failed(_) = end {
            last.took = Some(self.began.elapsed().saturating_sub(last.began));
        }
    }

    /// Tells its span, once.
    pub(super) fn tell_span(&mut self, took: std::time::Duration) {
        let (Some(recording), Some(route)) = (self.span.take(), self.route.as_ref()) else { return };
        let span = || Span {
            recording: *recording,
            began: self.time,
            took,
            queued: self.queued,
            project: route.project.clone(),
            route: route.route.name.clone(),
            prefix: route.route.path.clone(),
            client: self.client,
            method: self.method.as_ref().map_or("", Method::as_str).to_owned(),
            path: self.target.as_ref().map_or("", |target| target.path()).to_owned(),
            status: Some(self.status).filter(|status| *status != CLIENT_GONE),
            bytes: self.bytes,
            request_id: self.identity.request().to_owned(),
            refused: self.refused,
        };
        self.gateway.spans.tell(route, &self.gateway, span);
    }
}
