//! `x-seaworthy.route`, as far as it says what the gateway answers by itself, and how paths read to the service.

use std::path::PathBuf;
use std::time::Duration;

use crate::{Bytes, Spanned};

/// What is absent is empty, and the gateway's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// `redirect`: where clients are sent elsewhere.
    pub redirects: Vec<Redirect>,
    /// `strip_path`: the service gets paths without the route's `path`.
    pub strip_path: bool,
    /// `add_path`: what it gets in front of each path.
    pub add_path: Option<String>,
    /// `auth`: who may ask with a name and a password.
    pub auth: Option<Auth>,
    /// `cors`: which other sites may read answers in a browser.
    pub cors: Option<Cors>,
    /// `error_pages`: a file, or a folder of files such as `404.html`.
    pub error_pages: Option<Spanned<PathBuf>>,
    /// `compress`: which answers are made shorter.
    pub compress: Option<Compress>,
    /// `files`: a folder whose files are answered with before the service is asked.
    pub files: Option<Files>,
    /// `max_per_client`: how many requests of each client are answered at a time.
    pub max_per_client: Option<u32>,
    /// `canary`: which part of the clients another service answers.
    pub canary: Option<Canary>,
    /// `mirror`: which part of the requests another service gets copies of.
    pub mirror: Option<Canary>,
}

/// `canary` and `mirror`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// `service`, which has a route of its own.
    pub service: Spanned<String>,
    /// `percent` of the clients, or of the requests.
    pub percent: u8,
}

/// `compress`; `true` is all that pays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compress {
    /// `min_size`: the shortest answer.
    pub min_size: Option<Bytes>,
    /// `types`; those of which it is known that it pays when absent.
    pub types: Vec<String>,
}

/// `files`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// `folder`.
    pub folder: Spanned<PathBuf>,
    /// `fallback`: the file that is shown where a page is asked for that is none.
    pub fallback: Option<Spanned<String>>,
    /// `pass`: beginnings of paths that always go to the service.
    pub pass: Vec<String>,
    /// `cache`: how long browsers need not ask again for what is no page.
    pub cache: Option<Duration>,
    /// `immutable`: paths of files that never change under their name.
    pub immutable: Vec<String>,
}

/// `auth`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// `users`: the secret with lines of `name:hash`.
    pub users: Spanned<String>,
    /// `realm`: what browsers say that the password is for.
    pub realm: Option<String>,
}

/// `cors`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cors {
    /// `origins`.
    pub origins: Vec<String>,
    /// `credentials`.
    pub credentials: bool,
    /// `methods`; the usual ones when absent.
    pub methods: Vec<String>,
    /// `headers`; all that are asked for when absent.
    pub headers: Vec<String>,
    /// `expose`.
    pub expose: Vec<String>,
    /// `max_age`.
    pub max_age: Option<Duration>,
}

/// One of `redirect`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// `from`.
    pub from: Origin,
    /// `to`: a path, a host or an address; `*` is what followed.
    pub to: String,
    /// `status`: 308 when absent.
    pub status: Option<u16>,
}

/// What is sent elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A path of the route's own host; with `/*` at its end all that begin so.
    Path(String),
    /// All of another host.
    Host(String),
}

impl Origin {
    /// Reads `/old`, `/old/*` or `www.shop.example`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with('/') {
            let begin = text.strip_suffix("/*").unwrap_or(text);
            let fits = !begin.contains(['*', '?', '#', '\\']) && !text.contains("//");
            return (fits && is_graphic(text)).then(|| Self::Path(text.to_owned()));
        }
        is_host(text).then(|| Self::Host(text.to_ascii_lowercase()))
    }

    /// Whether it is about a path of its own host.
    pub fn has(&self, path: &str) -> bool {
        match self {
            Self::Host(_) => false,
            Self::Path(own) => match own.strip_suffix("/*") {
                Some(begin) => {
                    path.strip_prefix(begin).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                }
                None => own == path,
            },
        }
    }
}

/// Whether it can be the `to` of a redirect: a path, a host with or without port, or an address.
pub fn is_target(text: &str) -> bool {
    let plain = is_graphic(text) && !text.contains('\\') && text.matches('*').count() <= 1;
    if text.starts_with('/') {
        return plain && !text.starts_with("//");
    }
    let rest = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let authority = rest.map_or(text, |rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let (host, port) = authority.split_once(':').unwrap_or((authority, "80"));
    plain && is_host(host) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Whether it can stand in front of a path: whole segments.
pub fn is_beginning(text: &str) -> bool {
    let plain = is_graphic(text) && !text.contains(['?', '#', '\\', '*']) && !text.contains("//");
    text.len() > 1 && text.starts_with('/') && !text.ends_with('/') && plain
}

/// Whether it is a site as browsers name it: a scheme, a host, and a port that is not the scheme's own; or `*`.
pub fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return text == "*" };
    let own = if scheme == "https" { "443" } else { "80" };
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let port = port.is_none_or(|port| port != own && port.parse::<u16>().is_ok_and(|port| port > 0));
    matches!(scheme, "http" | "https") && is_host(name) && port && text == text.to_ascii_lowercase()
}

fn is_graphic(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// Whether it is a content type, or a pattern of some, such as `text/html`, `text/*` or `*+json`.
pub fn is_type(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-/*".contains(&byte);
    (2..=100).contains(&text.len()) && text.bytes().all(plain) && text.matches('*').count() <= 1
}

/// Whether it is a path, with at most one `*` for anything.
pub fn is_pattern(text: &str) -> bool {
    text.starts_with('/') && is_graphic(text) && text.matches('*').count() <= 1
}
