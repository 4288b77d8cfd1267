//! What a route answers by itself, made ready once, and how paths read to its backends.

mod canary;
mod cors;
mod crowd;
mod login;
mod pages;
mod redirect;
mod rewrite;
mod shelf;

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue, ORIGIN, VARY};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, StatusCode, Uri};

use crate::compress::Wish;
use crate::files::{Found, List, Question, find};
use crate::place::Place;
use crate::route;

pub(crate) use canary::Choice;
pub(crate) use crowd::Seat;
pub(crate) use login::Login;
pub(crate) use pages::MESSAGE;

/// What a request asks for, as far as it matters where it is sent.
pub(crate) struct Asked<'a> {
    /// As it was sent.
    pub(crate) target: &'a Uri,
    /// The path that routes are held against.
    pub(crate) path: &'a str,
    /// The host as it was sent, with its port.
    pub(crate) host: &'a HeaderValue,
    /// What the client came with.
    pub(crate) scheme: &'a str,
}

/// A route's own answers.
#[derive(Debug)]
pub(crate) struct Site {
    told: route::Site,
    /// The path of the route, without the slash at its end.
    prefix: String,
    login: Option<Arc<Login>>,
    pages: pages::Pages,
    shelf: Option<Arc<shelf::Shelf>>,
    crowd: Option<Arc<crowd::Crowd>>,
}

impl Site {
    /// Ready to answer; who is known stays known.
    pub(crate) fn new(route: &route::Route, before: Option<&Self>) -> Self {
        Self {
            told: route.site.clone(),
            prefix: route.path.trim_end_matches('/').to_owned(),
            login: login::kept(route.site.auth.as_ref(), before.and_then(|before| before.login.as_ref())),
            pages: pages::Pages::new(&route.site.pages),
            crowd: crowd::kept(route.site.max_per_client, before.and_then(|before| before.crowd.as_ref())),
            shelf: shelf::kept(route.site.files.as_ref(), before.and_then(|before| before.shelf.as_ref())),
        }
    }

    /// How a request wishes its answer, where answers are made shorter.
    pub(crate) fn wish(&self, method: &Method, headers: &HeaderMap) -> Option<Wish> {
        self.told.compression.as_ref().map(|_| Wish::of(method, headers))
    }

    /// Which answers are made shorter.
    pub(crate) fn compression(&self) -> Option<&route::Compression> {
        self.told.compression.as_ref()
    }

    /// The list of its files, which is read when it is first needed.
    pub(crate) async fn files(&self, place: &Place, project: &str) -> Option<&List> {
        self.shelf.as_ref()?.list(place, project).await
    }

    /// The answer where a request asks for one of them.
    pub(crate) fn file(
        &self,
        list: &List,
        asked: &Asked<'_>,
        method: &Method,
        headers: &HeaderMap,
    ) -> Option<Found> {
        let (target, path, prefix) = (asked.target, asked.path, self.prefix.as_str());
        find(list, self.told.files.as_ref()?, &Question { method, target, path, prefix, headers })
    }

    /// Lets one more request of a client in, which has to keep what it gets; an error where it has too many.
    pub(crate) fn enter(&self, client: IpAddr) -> Result<Option<Seat>, StatusCode> {
        let Some(crowd) = &self.crowd else { return Ok(None) };
        crowd.enter(client).map(Some).ok_or(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Which other route a client belongs to, if this one shares its clients.
    pub(crate) fn canary(&self, headers: &HeaderMap, client: IpAddr) -> Option<(&str, Choice)> {
        let told = self.told.canary.as_ref()?;
        Some((&told.route, canary::choose(told, headers, client)))
    }

    /// Has a client keep to the route that was chosen for it.
    pub(crate) fn keep_to(&self, choice: Choice, secure: bool, answer: &mut HeaderMap) {
        if let Some(told) = &self.told.canary {
            canary::keep(told, choice, &self.prefix, secure, answer);
        }
    }

    /// Whether errors are shown to who asks as a page.
    pub(crate) fn shows(&self, headers: &HeaderMap) -> bool {
        !self.pages.is_empty() && pages::is_shown(headers)
    }

    /// The page of an answer.
    pub(crate) fn page(&self, status: StatusCode) -> Option<Bytes> {
        self.pages.of(status)
    }

    /// The page of a project that is being worked on.
    pub(crate) fn maintenance(&self, headers: &HeaderMap) -> Option<Bytes> {
        self.pages.maintenance().filter(|_| pages::is_shown(headers))
    }

    /// Who holds names and passwords against those that may pass.
    pub(crate) fn login(&self) -> Option<&Login> {
        self.login.as_deref()
    }

    /// The answer's headers where a browser asks whether another site may ask.
    pub(crate) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<HeaderMap> {
        cors::preflight(self.told.cors.as_ref()?, method, headers)
    }

    /// The site that a request comes from, where answers say who may read them.
    pub(crate) fn origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        self.told.cors.as_ref().and_then(|_| headers.get(ORIGIN)).cloned()
    }

    /// Says in an answer who may read it.
    pub(crate) fn dress(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        if let Some(cors) = &self.told.cors {
            cors::dress(cors, origin, headers);
        }
    }

    /// Where a request is sent instead, if it is.
    pub(crate) fn elsewhere(&self, asked: &Asked<'_>) -> Option<(StatusCode, HeaderMap)> {
        self.told.redirects.iter().find_map(|rule| redirect::follow(rule, asked))
    }

    /// Has the path of a request read as its backend wishes it; `path` is the one that routes are held against.
    pub(crate) fn rewrite(&self, parts: &mut Parts, path: &str) {
        if self.told.strip_path || !self.told.add_path.is_empty() {
            let strip = if self.told.strip_path { self.prefix.as_str() } else { "" };
            rewrite::rewrite(parts, path, strip, &self.told.add_path);
        }
    }
}

/// Says that an answer depends on a header of its request, where that is not said.
pub(crate) fn vary(headers: &mut HeaderMap, on: &'static str) {
    let said = |value: &HeaderValue| {
        let mut names = value.to_str().unwrap_or_default().split(',').map(str::trim);
        names.any(|name| name == "*" || name.eq_ignore_ascii_case(on))
    };
    if !headers.get_all(VARY).iter().any(said) {
        headers.append(VARY, HeaderValue::from(HeaderName::from_static(on)));
    }
}
