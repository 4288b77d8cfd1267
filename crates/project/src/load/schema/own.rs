//! `x-seaworthy`: what Compose cannot say. No unknown key passes here.

mod tls;
mod traces;

use super::Shape::{Boolean, Choice, Either, Form as A, Object as In, OwnDuration, Text};
use super::balancing::{
    BALANCE, EJECT, HASH_BY, MAX_IN_FLIGHT, PROXY_PROTOCOL, QUEUE, RETRIES, SLOW_START, WAIT, WEIGHTS,
};
use super::policy::{BODY_TIMEOUT, HEADERS, MAX_BODY, NETWORKS, RATE_LIMIT};
use super::site::{ADD_PATH, AUTH, CANARY, COMPRESS, CORS, FILES, MAX_PER_CLIENT, MIRROR, PAGES, REDIRECT};
use super::{Form, Object, PLAINS, Shape};
use crate::load::scalar::Type;
use crate::load::typed::settings::probe_target;

/// At the top level.
pub(super) static PROJECT: Object = Object::closed(
    "`x-seaworthy`",
    &[("overlay", Boolean), ("rollout", In(&ROLLOUT)), ("tls", tls::TLS), ("traces", traces::TRACES)],
);

/// On a service.
pub(super) static SERVICE: Object = Object::closed(
    "`x-seaworthy` of a service",
    &[
        ("route", In(&ROUTE)),
        ("probe", In(&PROBE)),
        ("process", In(&PROCESS)),
        ("run", Choice(&["before-deploy", "after-deploy"])),
        ("timeout", OwnDuration),
        ("rollout", In(&ROLLOUT)),
        ("prove", In(&PROVE)),
    ],
);

/// On a volume.
pub(super) static VOLUME: Object = Object::closed("`x-seaworthy` of a volume", &[("exclusive", Boolean)]);

const WORDS: Shape = Either(&[Text, PLAINS]);

static ROUTE: Object = Object::closed(
    "`route`",
    &[
        ("host", A(&HOST)),
        ("path", A(&PATH)),
        ("port", A(&PORT)),
        ("balance", BALANCE),
        ("sticky", Boolean),
        ("tls", tls::TLS),
        ("traces", traces::TRACES),
        ("wait", WAIT),
        ("queue", QUEUE),
        ("hash_by", HASH_BY),
        ("weights", WEIGHTS),
        ("slow_start", SLOW_START),
        ("max_in_flight", MAX_IN_FLIGHT),
        ("eject", EJECT),
        ("retries", RETRIES),
        ("max_body", A(&MAX_BODY)),
        ("body_timeout", A(&BODY_TIMEOUT)),
        ("rate_limit", RATE_LIMIT),
        ("allow", NETWORKS),
        ("deny", NETWORKS),
        ("trusted_proxies", NETWORKS),
        ("headers", In(&HEADERS)),
        ("proxy_protocol", PROXY_PROTOCOL),
        ("redirect", REDIRECT),
        ("strip_path", Boolean),
        ("add_path", A(&ADD_PATH)),
        ("auth", In(&AUTH)),
        ("cors", In(&CORS)),
        ("error_pages", A(&PAGES)),
        ("compress", COMPRESS),
        ("files", FILES),
        ("max_per_client", A(&MAX_PER_CLIENT)),
        ("canary", In(&CANARY)),
        ("mirror", In(&MIRROR)),
    ],
);

static HOST: Form = Form {
    expected: "a host name such as `shop.example` (one; no `*`)",
    types: ANY_TYPE,
    accepts: |text| {
        let label = |label: &str| {
            !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        text.len() <= 253 && text.split('.').all(label)
    },
    enforced: true,
};

static PATH: Form = Form {
    expected: "a path such as `/` or `/api`: all beneath it is meant, so without `*`, and without `//`, `.`, `..`, `%`, `?` and `#`",
    types: ANY_TYPE,
    accepts: is_prefix,
    enforced: true,
};

/// Whether it is the beginning of a path as requests are held against it: decoded, and with nothing to resolve.
fn is_prefix(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"*%?#\\".contains(&byte));
    let dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    plain && text.starts_with('/') && !text.contains("//") && !text.split('/').any(dots)
}

static PORT: Form = Form {
    expected: "a port number from 1 to 65535",
    types: ANY_TYPE,
    accepts: |text| text.parse::<u16>().is_ok_and(|port| port > 0),
    enforced: true,
};

pub(super) const ANY_TYPE: &[Type] = &[Type::Text, Type::Integer, Type::Fraction, Type::Boolean];

static PROBE: Object = Object::closed("`probe`", &[("ready", A(&PROBE_TARGET)), ("live", A(&PROBE_TARGET))]);

static PROBE_TARGET: Form = Form {
    expected: "`GET /path`, `tcp`, `grpc` or `grpc NAME`",
    types: ANY_TYPE,
    accepts: |text| probe_target(text).is_some(),
    enforced: true,
};

static PROCESS: Object = Object::closed("`process`", &[("command", WORDS), ("build", WORDS)]);

static PROVE: Object = Object::closed("`prove`", &[("command", WORDS)]);

static ROLLOUT: Object = Object::closed(
    "`rollout`",
    &[
        ("ready_deadline", OwnDuration),
        ("min_healthy", OwnDuration),
        ("progress_deadline", OwnDuration),
        ("drain", OwnDuration),
    ],
);
