//! `x-seaworthy.route`, as far as it is about what the gateway answers by itself.

use crate::load::scalar;
use crate::load::typed::access::{bytes, flag, plain_duration, plain_text, text, value, words};
use crate::model::site::{Auth, Canary, Compress, Cors, Files, Origin, Redirect, Site};
use crate::{Node, Spanned};

pub(super) fn site(route: &Node) -> Site {
    let redirects = route.get("redirect").map(Node::items).unwrap_or_default();
    Site {
        redirects: redirects.iter().filter_map(redirect).collect(),
        strip_path: flag(route, "strip_path"),
        add_path: plain_text(route, "add_path"),
        auth: route.get("auth").and_then(auth),
        cors: route.get("cors").filter(|cors| !cors.is_null()).map(cors),
        error_pages: value(route, "error_pages", |path| Some(path.into())),
        compress: route.get("compress").and_then(compress),
        files: route.get("files").and_then(files),
        max_per_client: value(route, "max_per_client", |text| text.parse().ok()).map(|most| most.value),
        canary: route.get("canary").and_then(canary),
        mirror: route.get("mirror").and_then(canary),
    }
}

pub(crate) fn redirect(node: &Node) -> Option<Redirect> {
    Some(Redirect {
        from: value(node, "from", Origin::parse)?.value,
        to: plain_text(node, "to")?,
        status: value(node, "status", |text| text.parse().ok()).map(|status| status.value),
    })
}

fn auth(node: &Node) -> Option<Auth> {
    Some(Auth { users: text(node, "users")?, realm: plain_text(node, "realm") })
}

fn cors(node: &Node) -> Cors {
    let list = |key: &str| node.get(key).map(words).unwrap_or_default();
    Cors {
        origins: list("origins"),
        credentials: flag(node, "credentials"),
        methods: list("methods").iter().map(|method| method.to_ascii_uppercase()).collect(),
        headers: list("headers"),
        expose: list("expose"),
        max_age: plain_duration(node, "max_age"),
    }
}

fn compress(node: &Node) -> Option<Compress> {
    match node.text() {
        Some(text) => scalar::boolean(text).filter(|wished| *wished).map(|_| Compress::default()),
        None if node.is_null() => None,
        None => Some(Compress {
            min_size: bytes(node, "min_size").map(|size| size.value),
            types: node.get("types").map(words).unwrap_or_default(),
        }),
    }
}

fn files(node: &Node) -> Option<Files> {
    let list = |key: &str| node.get(key).map(words).unwrap_or_default();
    let folder = match node.text() {
        Some(text) => Spanned::new(text.into(), node.span),
        None => value(node, "folder", |path| Some(path.into()))?,
    };
    Some(Files {
        folder,
        fallback: text(node, "fallback"),
        pass: list("pass"),
        cache: plain_duration(node, "cache"),
        immutable: list("immutable"),
    })
}

fn canary(node: &Node) -> Option<Canary> {
    Some(Canary { service: text(node, "service")?, percent: value(node, "percent", percent)?.value })
}

/// A number from 0 to 100, with or without its sign.
pub(crate) fn percent(text: &str) -> Option<u8> {
    let digits = text.strip_suffix('%').unwrap_or(text).trim();
    digits.parse().ok().filter(|percent| *percent <= 100)
}
