//! `x-seaworthy`: what Compose cannot say. No unknown key passes here.

use super::Shape::{Boolean, Choice, Duration, Either, Form as A, Object as In, Text};
use super::{Form, Object, PLAINS, Shape};
use crate::load::typed::settings::probe_target;

/// At the top level.
pub(super) static PROJECT: Object = Object {
    name: "`x-seaworthy`",
    keys: &[("overlay", Boolean), ("rollout", In(&ROLLOUT))],
    extensible: false,
};

/// On a service.
pub(super) static SERVICE: Object = Object {
    name: "`x-seaworthy` of a service",
    keys: &[
        ("route", In(&ROUTE)),
        ("probe", In(&PROBE)),
        ("process", In(&PROCESS)),
        ("run", Choice(&["before-deploy", "after-deploy"])),
        ("timeout", Duration),
        ("rollout", In(&ROLLOUT)),
    ],
    extensible: false,
};

/// On a volume.
pub(super) static VOLUME: Object =
    Object { name: "`x-seaworthy` of a volume", keys: &[("exclusive", Boolean)], extensible: false };

const WORDS: Shape = Either(&[Text, PLAINS]);

static ROUTE: Object = Object {
    name: "`route`",
    keys: &[
        ("host", A(&HOST)),
        ("path", A(&PATH)),
        ("port", A(&PORT)),
        ("balance", Choice(&["round-robin", "least-connections"])),
    ],
    extensible: false,
};

static HOST: Form = Form {
    expected: "a host name such as `shop.example` or `*.shop.example`",
    accepts: |text| {
        let name = text.strip_prefix("*.").unwrap_or(text);
        let label = |label: &str| {
            !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        name.len() <= 253 && name.split('.').all(label)
    },
    enforced: true,
};

static PATH: Form = Form {
    expected: "a path such as `/` or `/api`",
    accepts: |text| text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic()),
    enforced: true,
};

static PORT: Form = Form {
    expected: "a port number from 1 to 65535",
    accepts: |text| text.parse::<u16>().is_ok_and(|port| port > 0),
    enforced: true,
};

static PROBE: Object = Object {
    name: "`probe`",
    keys: &[("ready", A(&PROBE_TARGET)), ("live", A(&PROBE_TARGET))],
    extensible: false,
};

static PROBE_TARGET: Form =
    Form { expected: "`GET /path` or `tcp`", accepts: |text| probe_target(text).is_some(), enforced: true };

static PROCESS: Object =
    Object { name: "`process`", keys: &[("command", WORDS), ("build", WORDS)], extensible: false };

static ROLLOUT: Object = Object {
    name: "`rollout`",
    keys: &[
        ("ready_deadline", Duration),
        ("min_healthy", Duration),
        ("progress_deadline", Duration),
        ("drain", Duration),
    ],
    extensible: false,
};
