//! `deploy` (Compose Deploy Specification).

use super::Shape::{
    Any, Choice, Duration, Either, Integer, Known, List, Map, Number, Object as In, Processors, Size, Text,
};
use super::{LIST_OR_MAP, Object, PLAIN_MAP, TEXTS};

pub(super) static DEPLOY: Object = Object {
    name: "`deploy`",
    keys: &[
        ("mode", Known(&["replicated", "global", "replicated-job", "global-job"])),
        ("endpoint_mode", Known(&["vip", "dnsrr"])),
        ("replicas", Integer),
        ("labels", LIST_OR_MAP),
        ("rollback_config", In(&UPDATE)),
        ("update_config", In(&UPDATE)),
        ("resources", In(&RESOURCES)),
        ("restart_policy", In(&RESTART_POLICY)),
        ("placement", In(&PLACEMENT)),
    ],
    extensible: true,
};

static UPDATE: Object = Object {
    name: "`update_config`",
    keys: &[
        ("parallelism", Integer),
        ("delay", Duration),
        ("failure_action", Known(&["continue", "rollback", "pause"])),
        ("monitor", Duration),
        ("max_failure_ratio", Number),
        ("order", Choice(&["start-first", "stop-first"])),
    ],
    extensible: true,
};

static RESOURCES: Object = Object {
    name: "`resources`",
    keys: &[("limits", In(&LIMITS)), ("reservations", In(&RESERVATIONS))],
    extensible: true,
};

static LIMITS: Object = Object {
    name: "`limits`",
    keys: &[("cpus", Processors), ("memory", Size), ("pids", Integer)],
    extensible: true,
};

static RESERVATIONS: Object = Object {
    name: "`reservations`",
    keys: &[
        ("cpus", Processors),
        ("memory", Size),
        ("pids", Integer),
        ("generic_resources", List(&Any)),
        ("devices", List(&In(&DEVICE))),
    ],
    extensible: true,
};

pub(super) static DEVICE: Object = Object {
    name: "a device request",
    keys: &[
        ("capabilities", TEXTS),
        ("count", Either(&[Integer, Text])),
        ("device_ids", TEXTS),
        ("driver", Text),
        ("options", Either(&[TEXTS, PLAIN_MAP])),
    ],
    extensible: true,
};

static RESTART_POLICY: Object = Object {
    name: "`restart_policy`",
    keys: &[
        ("condition", Known(&["none", "on-failure", "any"])),
        ("delay", Duration),
        ("max_attempts", Integer),
        ("window", Duration),
    ],
    extensible: true,
};

static PLACEMENT: Object = Object {
    name: "`placement`",
    keys: &[("constraints", TEXTS), ("preferences", List(&Map(&Text))), ("max_replicas_per_node", Integer)],
    extensible: true,
};
