//! `deploy` (Compose Deploy Specification).

use super::Shape::{
    self, Choice, Delay, Duration, Either, Known, List, Maybe, Number, Object as In, Processors,
    Size as Bytes, Text,
};
use super::{LIST_OR_MAP, Object, Size, TEXTS, UNIQUE_OR_MAP, UNIQUE_TEXTS, numbers};

pub(super) const DEPLOY: Shape = Maybe(&In(&DEPLOYMENT));

static DEPLOYMENT: Object = Object::new(
    "`deploy`",
    &[
        ("mode", Known(&["replicated", "global", "replicated-job", "global-job"])),
        ("endpoint_mode", Known(&["vip", "dnsrr"])),
        ("replicas", Number(&numbers::COUNT)),
        ("labels", LIST_OR_MAP),
        ("rollback_config", In(&UPDATE)),
        ("update_config", In(&UPDATE)),
        ("resources", In(&RESOURCES)),
        ("restart_policy", In(&RESTART_POLICY)),
        ("placement", In(&PLACEMENT)),
    ],
);

static UPDATE: Object = Object::new(
    "`update_config`",
    &[
        ("parallelism", Number(&numbers::COUNT)),
        ("delay", Delay),
        ("failure_action", Known(&["continue", "rollback", "pause"])),
        ("monitor", Delay),
        ("max_failure_ratio", Number(&numbers::RATIO)),
        ("order", Choice(&["start-first", "stop-first"])),
    ],
);

static RESOURCES: Object =
    Object::new("`resources`", &[("limits", In(&LIMITS)), ("reservations", In(&RESERVATIONS))]);

static LIMITS: Object = Object::new(
    "`limits`",
    &[("cpus", Processors), ("memory", Bytes(Size::Text)), ("pids", Number(&numbers::SIGNED))],
);

static RESERVATIONS: Object = Object::new(
    "`reservations`",
    &[
        ("cpus", Processors),
        ("memory", Bytes(Size::Text)),
        ("generic_resources", List(&In(&GENERIC))),
        ("devices", List(&In(&RESERVED_DEVICE))),
    ],
);

static GENERIC: Object = Object::new("a generic resource", &[("discrete_resource_spec", In(&DISCRETE))]);

static DISCRETE: Object =
    Object::new("`discrete_resource_spec`", &[("kind", Text), ("value", Number(&numbers::CUT))]);

const DEVICE_KEYS: &[(&str, Shape)] = &[
    ("capabilities", UNIQUE_TEXTS),
    ("count", Either(&[Number(&numbers::EXACT), Choice(&["all"])])),
    ("device_ids", UNIQUE_TEXTS),
    ("driver", Text),
    ("options", UNIQUE_OR_MAP),
];

static RESERVED_DEVICE: Object = Object::new("a device request", DEVICE_KEYS).required(&["capabilities"]);

/// As in `gpus`, where Compose pays no attention to other keys.
pub(super) static DEVICE: Object = Object::lenient("a device request", DEVICE_KEYS);

static RESTART_POLICY: Object = Object::new(
    "`restart_policy`",
    &[
        ("condition", Known(&["none", "on-failure", "any"])),
        ("delay", Duration),
        ("max_attempts", Number(&numbers::COUNT)),
        ("window", Duration),
    ],
);

static PLACEMENT: Object = Object::new(
    "`placement`",
    &[
        ("constraints", TEXTS),
        ("preferences", List(&In(&PREFERENCE))),
        ("max_replicas_per_node", Number(&numbers::COUNT)),
    ],
);

static PREFERENCE: Object = Object::new("a preference", &[("spread", Text)]);
