//! `x-seaworthy.route`, as far as it is about what the gateway answers by itself.

use crate::Node;
use crate::load::typed::access::{flag, plain_duration, plain_text, text, value, words};
use crate::model::site::{Auth, Cors, Origin, Redirect, Site};

pub(super) fn site(route: &Node) -> Site {
    let redirects = route.get("redirect").map(Node::items).unwrap_or_default();
    Site {
        redirects: redirects.iter().filter_map(redirect).collect(),
        strip_path: flag(route, "strip_path"),
        add_path: plain_text(route, "add_path"),
        auth: route.get("auth").and_then(auth),
        cors: route.get("cors").filter(|cors| !cors.is_null()).map(cors),
        error_pages: value(route, "error_pages", |path| Some(path.into())),
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
