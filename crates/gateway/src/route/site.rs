//! What a route answers by itself, as it is told and kept in the snapshot.

use std::collections::BTreeMap;

use hyper::header::HeaderValue;
use serde::{Deserialize, Serialize};

use super::{Auth, Compression, Cors, Files, pages};

/// The most redirects of a route.
const MOST_REDIRECTS: usize = 1000;

/// What a route answers by itself, and how paths read to its backends. HTTP alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Site {
    /// Where clients are sent elsewhere; the first that fits counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redirects: Vec<Redirect>,
    /// Whether backends get paths without that of the route.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub strip_path: bool,
    /// What backends get in front of each path, after that; nothing, or whole segments with a `/` in front.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub add_path: String,
    /// Who may pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Which other sites may read answers in a browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<Cors>,
    /// What the gateway's own answers show, by status, and by [`MAINTENANCE`](super::MAINTENANCE) and `any`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pages: BTreeMap<String, String>,
    /// Which answers are made shorter on their way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// Files that it answers with before any backend is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
    /// How many requests of each client are answered at a time; `None` is any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_client: Option<u32>,
    /// Which part of its clients goes to another route of the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
    /// Which part of its requests is copied to another route of the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Canary>,
}

/// A part of the clients that another route of the project answers, or of the requests that it gets copies of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// The name of that route.
    pub route: String,
    /// How many of a hundred.
    pub percent: u8,
}

/// A path that is elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// One path, or with `/*` at its end all that begin so.
    pub from: String,
    /// A path, an address, or with `//` in front a host whose scheme and port are those of the request. `*` stands for
    /// what followed in the path.
    pub to: String,
    /// 301, 302, 307 or 308.
    pub status: u16,
}

impl Site {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether no request ever gets to a backend.
    pub fn answers_all(&self) -> bool {
        self.redirects.iter().any(|redirect| redirect.from == "/*")
    }

    /// What cannot be served of it, as words that follow the route's name.
    pub(super) fn contradiction(&self) -> Option<String> {
        if self.redirects.len() > MOST_REDIRECTS {
            return Some(format!("{} redirects are more than {MOST_REDIRECTS}", self.redirects.len()));
        }
        if !self.add_path.is_empty() && (!is_path(&self.add_path) || self.add_path.ends_with('/')) {
            return Some(format!("`{}` is nothing to put in front of a path", self.add_path));
        }
        let redirects = self.redirects.iter().find_map(Redirect::contradiction);
        redirects
            .or_else(|| self.auth.as_ref()?.contradiction())
            .or_else(|| self.cors.as_ref()?.contradiction())
            .or_else(|| pages::contradiction(&self.pages))
            .or_else(|| self.files.as_ref()?.contradiction())
            .or_else(|| {
                let none = self.max_per_client == Some(0);
                none.then(|| "no request of a client is answered".to_owned())
            })
            .or_else(|| {
                let mut shares = self.canary.iter().chain(&self.mirror);
                let wrong = shares.find(|share| share.percent > 100)?;
                Some(format!("{} of a hundred go to `{}`", wrong.percent, wrong.route))
            })
    }
}

impl Redirect {
    fn contradiction(&self) -> Option<String> {
        let stars = |text: &str| text.matches('*').count();
        let from = is_path(&self.from)
            && (stars(&self.from) == 0 || self.from.ends_with("/*") && stars(&self.from) == 1);
        let known = ["/", "http://", "https://"].iter().any(|begin| self.to.starts_with(begin));
        let to = known
            && self.to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
            && stars(&self.to) <= stars(&self.from)
            && HeaderValue::from_str(&self.to).is_ok();
        if !from || !to {
            return Some(format!("there is no way from `{}` to `{}`", self.from, self.to));
        }
        let known = matches!(self.status, 301 | 302 | 307 | 308);
        (!known).then(|| format!("{} is no status of a redirect", self.status))
    }
}

fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && !text.contains("//")
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'?' | b'#'))
}
