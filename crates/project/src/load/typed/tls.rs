//! `tls`, as a word or as a map.

use std::path::PathBuf;
use std::time::Duration;

use super::access::{boolean, plain_text, value};
use crate::model::settings::Route;
use crate::model::tls::{AcmeSettings, ClientSettings, Tls, TlsFiles, TlsMode};
use crate::{Node, Spanned, parse_duration};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// `tls` under a node.
pub(super) fn tls(node: &Node) -> Option<Spanned<Tls>> {
    let said = node.get("tls").filter(|said| !said.is_null())?;
    let tls = match said.text() {
        Some(word) => Tls { mode: mode(word), ..Tls::default() },
        None => Tls {
            mode: value(said, "mode", mode).map(|mode| mode.value),
            files: said.get("files").map(files),
            acme: said.get("acme").map(acme).unwrap_or_default(),
            hsts: value(said, "hsts", hsts).map(|hsts| hsts.value),
            redirect: boolean(said, "redirect").map(|redirect| redirect.value),
            clients: said.get("clients").filter(|clients| !clients.is_null()).map(clients),
        },
    };
    Some(Spanned::new(tls, said.span))
}

/// Gives a route what was said for all routes, where it does not say otherwise.
pub(super) fn with_default(route: &mut Route, default: Option<&Spanned<Tls>>) {
    let Some(default) = default else { return };
    route.tls = Some(match &route.tls {
        Some(own) => Spanned::new(own.value.over(&default.value), own.span),
        None => default.clone(),
    });
}

fn files(node: &Node) -> TlsFiles {
    let path = |key: &str| plain_text(node, key).map(PathBuf::from).unwrap_or_default();
    TlsFiles { certificate: path("certificate"), key: path("key") }
}

fn clients(node: &Node) -> ClientSettings {
    ClientSettings {
        ca: plain_text(node, "ca").map(PathBuf::from).unwrap_or_default(),
        optional: plain_text(node, "certificate").as_deref() == Some("optional"),
    }
}

fn acme(node: &Node) -> AcmeSettings {
    AcmeSettings {
        directory: plain_text(node, "directory"),
        email: plain_text(node, "email"),
        roots: plain_text(node, "roots").map(PathBuf::from),
    }
}

/// Reads `self-signed`, `acme` or `off`.
pub(crate) fn mode(text: &str) -> Option<TlsMode> {
    match text {
        "self-signed" => Some(TlsMode::SelfSigned),
        "acme" => Some(TlsMode::Acme),
        // What YAML takes `off` for.
        "off" | "false" => Some(TlsMode::Off),
        _ => None,
    }
}

/// Reads `365d`, `12h`, or `off`.
pub(crate) fn hsts(text: &str) -> Option<Duration> {
    if matches!(text, "off" | "false") {
        return Some(Duration::ZERO);
    }
    match text.strip_suffix('d').map(str::parse::<u32>) {
        Some(Ok(days)) => Some(DAY * days),
        _ => parse_duration(text).ok(),
    }
}
