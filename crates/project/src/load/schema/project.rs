//! The top level and its `networks`, `volumes`, `secrets`, `configs`, `models`, `include`.

use super::Shape::{
    Any, Boolean, Choice, Either, Form as A, List, Map, Maybe, Named, Number, Object as In, Of,
    Size as Bytes, Text, Truth, Unique,
};
use super::{
    BOOLEAN_OR_TEXT, ENVIRONMENT, Form, LIST_OR_MAP, OPTIONS, Object, PLAIN_MAP, Shape, Size, TEXT_OR_LIST,
    TEXT_OR_UNIQUE, TEXTS, UNIQUE_OR_MAP, numbers, own, service,
};
use crate::load::scalar::Type;

/// A whole file.
pub(crate) static PROJECT: Object = Object::new(
    "a Compose file",
    &[
        ("version", Text),
        ("name", Text),
        ("include", List(&Either(&[Text, In(&INCLUDE)]))),
        ("services", Map(&In(&service::SERVICE))),
        ("networks", Map(&Maybe(&In(&NETWORK)))),
        ("volumes", Named(&Maybe(&In(&VOLUME)))),
        ("secrets", Named(&In(&SECRET))),
        ("configs", Named(&In(&CONFIG))),
        ("models", Map(&In(&MODEL))),
        ("x-seaworthy", In(&own::PROJECT)),
    ],
);

static INCLUDE: Object = Object::lenient(
    "`include`",
    &[("path", TEXT_OR_LIST), ("env_file", TEXT_OR_LIST), ("project_directory", Text)],
);

const EXTERNAL: Shape = Either(&[Boolean, In(&EXTERNAL_NAME)]);

static EXTERNAL_NAME: Object = Object::new("`external`", &[("name", Text)]);

const LENIENT_EXTERNAL: Shape = Either(&[Boolean, In(&LENIENT_EXTERNAL_NAME)]);

static LENIENT_EXTERNAL_NAME: Object = Object::lenient("`external`", &[("name", Text)]);

static NETWORK: Object = Object::new(
    "a network",
    &[
        ("name", Text),
        ("driver", Text),
        ("driver_opts", OPTIONS),
        ("ipam", In(&IPAM)),
        ("external", EXTERNAL),
        ("internal", Boolean),
        ("enable_ipv4", Boolean),
        ("enable_ipv6", Boolean),
        ("attachable", Boolean),
        ("labels", LIST_OR_MAP),
    ],
);

static IPAM: Object =
    Object::new("`ipam`", &[("driver", Text), ("config", List(&In(&IPAM_CONFIG))), ("options", Map(&Text))]);

static IPAM_CONFIG: Object = Object::new(
    "an `ipam` configuration",
    &[("subnet", Text), ("ip_range", Text), ("gateway", Text), ("aux_addresses", Map(&Text))],
);

static VOLUME: Object = Object::new(
    "a volume",
    &[
        ("name", Text),
        ("driver", Text),
        ("driver_opts", OPTIONS),
        ("external", EXTERNAL),
        ("labels", UNIQUE_OR_MAP),
        ("x-seaworthy", In(&own::VOLUME)),
    ],
);

static SECRET: Object = Object::new(
    "a secret",
    &[
        ("name", Text),
        ("environment", Text),
        ("file", Text),
        ("external", LENIENT_EXTERNAL),
        ("labels", UNIQUE_OR_MAP),
        ("driver", Text),
        ("driver_opts", Map(&Of(&[Type::Text, Type::Integer]))),
        ("template_driver", Text),
        ("x-seaworthy-value", Any),
    ],
);

static CONFIG: Object = Object::new(
    "a config",
    &[
        ("name", Text),
        ("content", Text),
        ("environment", Text),
        ("file", Text),
        ("external", LENIENT_EXTERNAL),
        ("labels", UNIQUE_OR_MAP),
        ("template_driver", Text),
        ("x-seaworthy-value", Any),
    ],
);

static MODEL: Object = Object::new(
    "a model",
    &[("name", Text), ("model", Text), ("context_size", Number(&numbers::WHOLE)), ("runtime_flags", TEXTS)],
)
.required(&["model"]);

static KEY: Form = Form {
    expected: "`default`, or a name and a path such as `mine=./key`",
    types: &[Type::Text],
    accepts: |text| text == "default" || text.contains('='),
    enforced: true,
};

static CONTEXT: Form = Form {
    expected: "a name and a folder or image such as `base=./base`",
    types: &[Type::Text],
    accepts: |text| text.contains('='),
    enforced: true,
};

static FOLDER: Form = Form {
    expected: "a folder or file",
    types: &[Type::Text],
    accepts: |text| !text.is_empty(),
    enforced: true,
};

/// `build` (Compose Build Specification).
pub(super) static BUILD: Object = Object::new(
    "`build`",
    &[
        ("context", Text),
        ("dockerfile", Text),
        ("dockerfile_inline", Text),
        ("entitlements", TEXTS),
        ("args", ENVIRONMENT),
        ("ssh", Either(&[Unique(&A(&KEY)), PLAIN_MAP])),
        ("labels", LIST_OR_MAP),
        ("cache_from", TEXTS),
        ("cache_to", TEXTS),
        ("no_cache", Boolean),
        ("additional_contexts", Either(&[List(&A(&CONTEXT)), Map(&Text)])),
        ("network", Text),
        ("provenance", BOOLEAN_OR_TEXT),
        ("sbom", BOOLEAN_OR_TEXT),
        ("pull", Boolean),
        ("target", Text),
        ("shm_size", Bytes(Size::Whole)),
        ("extra_hosts", super::HOSTS),
        ("isolation", Text),
        ("privileged", Boolean),
        ("secrets", List(&service::GRANT)),
        ("tags", TEXTS),
        ("ulimits", Map(&service::BUILD_ULIMIT)),
        ("platforms", TEXTS),
    ],
);

/// `develop` (Compose Develop Specification).
pub(super) static DEVELOP: Object = Object::new("`develop`", &[("watch", List(&In(&WATCH)))]);

static WATCH: Object = Object::new(
    "a `watch` rule",
    &[
        ("path", A(&FOLDER)),
        ("action", Choice(&["rebuild", "sync", "restart", "sync+restart", "sync+exec"])),
        ("target", Text),
        ("ignore", TEXT_OR_UNIQUE),
        ("include", TEXT_OR_UNIQUE),
        ("initial_sync", Truth),
        ("exec", In(&service::HOOK)),
    ],
)
.required(&["path", "action"]);
