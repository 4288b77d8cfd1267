//! The top level and its `networks`, `volumes`, `secrets`, `configs`, `models`, `include`.

use super::Shape::{Any, Boolean, Choice, Either, Integer, List, Map, Object as In, Plain, Size, Text};
use super::{BOOLEAN_OR_TEXT, LIST_OR_MAP, Object, PLAIN_MAP, Shape, TEXT_OR_LIST, TEXTS, own, service};

/// A whole file.
pub(crate) static PROJECT: Object = Object {
    name: "a Compose file",
    keys: &[
        ("version", Plain),
        ("name", Text),
        ("include", List(&Either(&[Text, In(&INCLUDE)]))),
        ("services", Map(&In(&service::SERVICE))),
        ("networks", Map(&In(&NETWORK))),
        ("volumes", Map(&In(&VOLUME))),
        ("secrets", Map(&In(&SECRET))),
        ("configs", Map(&In(&CONFIG))),
        ("models", Map(&In(&MODEL))),
        ("x-seaworthy", In(&own::PROJECT)),
    ],
    extensible: true,
};

static INCLUDE: Object = Object {
    name: "`include`",
    keys: &[("path", TEXT_OR_LIST), ("env_file", TEXT_OR_LIST), ("project_directory", Text)],
    extensible: false,
};

const EXTERNAL: Shape = Either(&[Boolean, In(&EXTERNAL_NAME)]);

static EXTERNAL_NAME: Object = Object { name: "`external`", keys: &[("name", Text)], extensible: true };

static NETWORK: Object = Object {
    name: "a network",
    keys: &[
        ("name", Text),
        ("driver", Text),
        ("driver_opts", PLAIN_MAP),
        ("ipam", In(&IPAM)),
        ("external", EXTERNAL),
        ("internal", Boolean),
        ("enable_ipv4", Boolean),
        ("enable_ipv6", Boolean),
        ("attachable", Boolean),
        ("labels", LIST_OR_MAP),
    ],
    extensible: true,
};

static IPAM: Object = Object {
    name: "`ipam`",
    keys: &[("driver", Text), ("config", List(&In(&IPAM_CONFIG))), ("options", Map(&Text))],
    extensible: true,
};

static IPAM_CONFIG: Object = Object {
    name: "an `ipam` configuration",
    keys: &[("subnet", Text), ("ip_range", Text), ("gateway", Text), ("aux_addresses", Map(&Text))],
    extensible: true,
};

static VOLUME: Object = Object {
    name: "a volume",
    keys: &[
        ("name", Text),
        ("driver", Text),
        ("driver_opts", PLAIN_MAP),
        ("external", EXTERNAL),
        ("labels", LIST_OR_MAP),
        ("x-seaworthy", In(&own::VOLUME)),
    ],
    extensible: true,
};

static SECRET: Object = Object {
    name: "a secret",
    keys: &[
        ("name", Text),
        ("environment", Text),
        ("file", Text),
        ("content", Text),
        ("external", EXTERNAL),
        ("labels", LIST_OR_MAP),
        ("driver", Text),
        ("driver_opts", PLAIN_MAP),
        ("template_driver", Text),
        ("x-seaworthy-value", Any),
    ],
    extensible: true,
};

static CONFIG: Object = Object {
    name: "a config",
    keys: &[
        ("name", Text),
        ("content", Text),
        ("environment", Text),
        ("file", Text),
        ("external", EXTERNAL),
        ("labels", LIST_OR_MAP),
        ("template_driver", Text),
        ("x-seaworthy-value", Any),
    ],
    extensible: true,
};

static MODEL: Object = Object {
    name: "a model",
    keys: &[("name", Text), ("model", Text), ("context_size", Integer), ("runtime_flags", TEXTS)],
    extensible: true,
};

/// `build` (Compose Build Specification).
pub(super) static BUILD: Object = Object {
    name: "`build`",
    keys: &[
        ("context", Text),
        ("dockerfile", Text),
        ("dockerfile_inline", Text),
        ("entitlements", TEXTS),
        ("args", LIST_OR_MAP),
        ("ssh", Either(&[Text, TEXTS, PLAIN_MAP])),
        ("labels", LIST_OR_MAP),
        ("cache_from", TEXT_OR_LIST),
        ("cache_to", TEXT_OR_LIST),
        ("no_cache", Boolean),
        ("no_cache_filter", TEXT_OR_LIST),
        ("additional_contexts", LIST_OR_MAP),
        ("network", Text),
        ("provenance", BOOLEAN_OR_TEXT),
        ("sbom", BOOLEAN_OR_TEXT),
        ("pull", Boolean),
        ("target", Text),
        ("shm_size", Size),
        ("extra_hosts", super::HOSTS),
        ("isolation", Text),
        ("privileged", Boolean),
        ("secrets", List(&service::GRANT)),
        ("tags", TEXTS),
        ("ulimits", Map(&service::ULIMIT)),
        ("platforms", TEXTS),
    ],
    extensible: true,
};

/// `develop` (Compose Develop Specification).
pub(super) static DEVELOP: Object =
    Object { name: "`develop`", keys: &[("watch", List(&In(&WATCH)))], extensible: true };

static WATCH: Object = Object {
    name: "a `watch` rule",
    keys: &[
        ("path", Text),
        ("action", Choice(&["rebuild", "sync", "restart", "sync+restart", "sync+exec"])),
        ("target", Text),
        ("ignore", TEXT_OR_LIST),
        ("include", TEXT_OR_LIST),
        ("initial_sync", Boolean),
        ("exec", In(&service::HOOK)),
    ],
    extensible: true,
};
