//! A service (Compose Specification, "Services top-level element").

use super::Shape::{
    Boolean, Choice, Duration, Either, Form as A, Known, List, Map, Maybe, Mode, Named, Number, Object as In,
    Of, Processors, Size as Bytes, Text, Truth, Unique,
};
use super::{
    COMMAND, ENVIRONMENT, Form, HOSTS, LIST_OR_MAP, OPTIONS, Object, Shape, Size, TEXT_OR_LIST, TEXTS,
    UNIQUE_ENVIRONMENT, UNIQUE_OR_MAP, UNIQUE_TEXTS, deploy, numbers, own, project,
};
use crate::load::scalar::Type;

pub(super) static SERVICE: Object = Object::new(
    "a service",
    &[
        ("annotations", LIST_OR_MAP),
        ("attach", Boolean),
        ("blkio_config", In(&BLKIO)),
        ("build", Either(&[Text, In(&project::BUILD)])),
        ("cap_add", TEXTS),
        ("cap_drop", TEXTS),
        ("cgroup", Choice(&["host", "private"])),
        ("cgroup_parent", Text),
        ("command", COMMAND),
        ("configs", List(&GRANT)),
        ("container_name", A(&CONTAINER_NAME)),
        ("cpu_count", Number(&numbers::COUNT)),
        ("cpu_percent", Number(&numbers::PERCENT)),
        ("cpu_period", Number(&numbers::CUT)),
        ("cpu_quota", Number(&numbers::CUT)),
        ("cpu_rt_period", Number(&numbers::CUT)),
        ("cpu_rt_runtime", Number(&numbers::CUT)),
        ("cpu_shares", Number(&numbers::CUT)),
        ("cpus", Processors),
        ("cpuset", Text),
        ("credential_spec", In(&CREDENTIAL_SPEC)),
        ("depends_on", Either(&[UNIQUE_TEXTS, Named(&In(&DEPENDENCY))])),
        ("deploy", deploy::DEPLOY),
        ("develop", Maybe(&In(&project::DEVELOP))),
        ("device_cgroup_rules", UNIQUE_TEXTS),
        ("devices", List(&Either(&[Text, In(&DEVICE)]))),
        ("dns", TEXT_OR_LIST),
        ("dns_opt", TEXTS),
        ("dns_search", TEXT_OR_LIST),
        ("domainname", Text),
        ("entrypoint", COMMAND),
        ("env_file", Either(&[Text, List(&Either(&[Text, In(&ENV_FILE)]))])),
        ("environment", ENVIRONMENT),
        ("expose", List(&A(&EXPOSED))),
        ("extends", Either(&[Text, In(&EXTENDS)])),
        ("external_links", UNIQUE_TEXTS),
        ("extra_hosts", HOSTS),
        ("gpus", Either(&[Choice(&["all"]), List(&In(&deploy::DEVICE))])),
        ("group_add", Unique(&Of(&[Type::Text, Type::Integer]))),
        ("healthcheck", In(&HEALTHCHECK)),
        ("hostname", Text),
        ("image", Text),
        ("init", Boolean),
        ("ipc", Text),
        ("isolation", Text),
        ("label_file", TEXT_OR_LIST),
        ("labels", LIST_OR_MAP),
        ("links", TEXTS),
        ("logging", In(&LOGGING)),
        ("mac_address", Text),
        ("mem_limit", Bytes(Size::Number)),
        ("mem_reservation", Bytes(Size::Whole)),
        ("mem_swappiness", Bytes(Size::Whole)),
        ("memswap_limit", Bytes(Size::Number)),
        ("models", Either(&[UNIQUE_TEXTS, Map(&Maybe(&In(&MODEL)))])),
        ("network_mode", Text),
        ("networks", Either(&[UNIQUE_TEXTS, Named(&Maybe(&In(&NETWORK)))])),
        ("oom_kill_disable", Boolean),
        ("oom_score_adj", Number(&numbers::OUT_OF_MEMORY_SCORE)),
        ("pid", Maybe(&Text)),
        ("pids_limit", Number(&numbers::CUT)),
        ("platform", Text),
        ("ports", List(&Either(&[Of(&[Type::Text, Type::Integer]), In(&PORT)]))),
        ("post_start", List(&In(&HOOK))),
        ("pre_stop", List(&In(&HOOK))),
        ("privileged", Boolean),
        ("profiles", TEXTS),
        ("provider", In(&PROVIDER)),
        ("pull_policy", A(&PULL_POLICY)),
        ("pull_refresh_after", Text),
        ("read_only", Boolean),
        ("restart", A(&RESTART)),
        ("runtime", Text),
        ("scale", Number(&numbers::COUNT)),
        ("secrets", List(&GRANT)),
        ("security_opt", UNIQUE_TEXTS),
        ("shm_size", Bytes(Size::Number)),
        ("stdin_open", Boolean),
        ("stop_grace_period", Duration),
        ("stop_signal", Text),
        ("storage_opt", Map(&Maybe(&Of(&[Type::Text, Type::Integer])))),
        ("sysctls", LIST_OR_MAP),
        ("tmpfs", TEXT_OR_LIST),
        ("tty", Boolean),
        ("ulimits", Map(&ULIMIT)),
        ("use_api_socket", Truth),
        ("user", Text),
        ("userns_mode", Text),
        ("uts", Text),
        ("volumes", List(&Either(&[Text, In(&VOLUME)]))),
        ("volumes_from", UNIQUE_TEXTS),
        ("working_dir", Text),
        ("x-seaworthy", In(&own::SERVICE)),
    ],
);

pub(super) const GRANT: Shape = Either(&[Text, In(&GRANT_LONG)]);

static GRANT_LONG: Object = Object::new(
    "a granted secret or config",
    &[("source", Text), ("target", Text), ("uid", Text), ("gid", Text), ("mode", Mode)],
);

const OPTION: Shape = Of(&[Type::Text, Type::Integer, Type::Fraction, Type::Boolean]);

const ULIMIT: Shape = Either(&[Number(&numbers::EXACT), In(&ULIMIT_LONG)]);

/// A limit of a build; here no text stands for a number.
pub(super) const BUILD_ULIMIT: Shape = Either(&[Number(&numbers::EXACT_NUMBER), In(&BUILD_ULIMIT_LONG)]);

static BUILD_ULIMIT_LONG: Object = Object::new(
    "a ulimit",
    &[("soft", Number(&numbers::EXACT_NUMBER)), ("hard", Number(&numbers::EXACT_NUMBER))],
)
.required(&["soft", "hard"]);

static ULIMIT_LONG: Object =
    Object::new("a ulimit", &[("soft", Number(&numbers::EXACT)), ("hard", Number(&numbers::EXACT))])
        .required(&["soft", "hard"]);

static EXPOSED: Form = Form {
    expected: "a port or a range such as `8080` or `9000-9010/udp`",
    types: &[Type::Text, Type::Integer],
    accepts: |text| text.starts_with(|c: char| c.is_ascii_digit()),
    enforced: false,
};

static RESTART: Form = Form {
    expected: "`no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`",
    types: &[Type::Text],
    accepts: |text| match text.split_once(':') {
        Some(("on-failure", count)) => count.parse::<u32>().is_ok(),
        Some(_) => false,
        None => matches!(text, "no" | "always" | "unless-stopped" | "on-failure"),
    },
    enforced: false,
};

static PULL_POLICY: Form = Form {
    expected: "`always`, `never`, `missing`, `build`, `daily`, `weekly` or `every_12h`",
    types: &[Type::Text],
    // Compose looks for one of these anywhere.
    accepts: |text| {
        let words = ["always", "never", "build", "if_not_present", "missing", "refresh", "daily", "weekly"];
        let every = |(at, _): (usize, &str)| {
            let rest = &text[at + "every_".len()..];
            let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            unit.len() < rest.len() && unit.starts_with(['w', 'd', 'h', 'm', 's'])
        };
        words.iter().any(|word| text.contains(word)) || text.match_indices("every_").any(every)
    },
    enforced: true,
};

static CONTAINER_NAME: Form = Form {
    expected: "a name of two or more letters, digits, `_`, `.` or `-`, beginning with a letter or digit",
    types: &[Type::Text],
    // Compose looks for such a name anywhere.
    accepts: |text| {
        let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
        text.as_bytes().windows(2).any(|pair| pair[0].is_ascii_alphanumeric() && inner(&pair[1]))
    },
    enforced: true,
};

static PROTOCOL: Form = Form {
    expected: "`tcp`, `udp` or `sctp`",
    types: &[Type::Text],
    accepts: |text| matches!(text.to_ascii_lowercase().as_str(), "tcp" | "udp" | "sctp"),
    enforced: false,
};

static PUBLISHED_PORT: Form = Form {
    expected: "a port number or a range such as `8080` or `8000-8010`",
    types: &[Type::Text, Type::Integer],
    accepts: |text| text.is_empty() || text.split('-').all(|port| port.parse::<u16>().is_ok()),
    enforced: false,
};

static BLKIO: Object = Object::closed(
    "`blkio_config`",
    &[
        ("weight", Number(&numbers::WEIGHT)),
        ("weight_device", List(&In(&DEVICE_WEIGHT))),
        ("device_read_bps", List(&In(&DEVICE_RATE))),
        ("device_read_iops", List(&In(&DEVICE_RATE))),
        ("device_write_bps", List(&In(&DEVICE_RATE))),
        ("device_write_iops", List(&In(&DEVICE_RATE))),
    ],
);

static DEVICE_WEIGHT: Object =
    Object::closed("a device's weight", &[("path", Text), ("weight", Number(&numbers::WEIGHT))]);

static DEVICE_RATE: Object =
    Object::closed("a device's rate", &[("path", Text), ("rate", Bytes(Size::Rate))]);

static CREDENTIAL_SPEC: Object =
    Object::new("`credential_spec`", &[("config", Text), ("file", Text), ("registry", Text)]);

static DEPENDENCY: Object = Object::new(
    "a dependency",
    &[
        ("condition", Choice(&["service_started", "service_healthy", "service_completed_successfully"])),
        ("restart", Boolean),
        ("required", Truth),
    ],
)
.required(&["condition"]);

static DEVICE: Object = Object::new("a device", &[("source", Text), ("target", Text), ("permissions", Text)])
    .required(&["source", "target"]);

static ENV_FILE: Object = Object::closed(
    "an `env_file` entry",
    &[("path", Text), ("required", Boolean), ("format", Choice(&["raw", ".env", ""]))],
)
.required(&["path"]);

static EXTENDS: Object = Object::lenient("`extends`", &[("service", Text), ("file", Text)]);

static HEALTHCHECK: Object = Object::new(
    "`healthcheck`",
    &[
        ("disable", Boolean),
        ("test", TEXT_OR_LIST),
        ("interval", Duration),
        ("timeout", Duration),
        ("retries", Number(&numbers::CUT_COUNT)),
        ("start_period", Duration),
        ("start_interval", Duration),
    ],
);

static LOGGING: Object = Object::new(
    "`logging`",
    &[("driver", Text), ("options", Map(&Maybe(&Of(&[Type::Text, Type::Integer, Type::Fraction]))))],
);

static MODEL: Object = Object::new("a model", &[("endpoint_var", Text), ("model_var", Text)]);

static NETWORK: Object = Object::new(
    "a service's network",
    &[
        ("aliases", TEXTS),
        ("interface_name", Text),
        ("ipv4_address", Text),
        ("ipv6_address", Text),
        ("link_local_ips", TEXTS),
        ("mac_address", Text),
        ("driver_opts", OPTIONS),
        ("priority", Number(&numbers::PRIORITY)),
        ("gw_priority", Number(&numbers::PRIORITY)),
    ],
);

static PORT: Object = Object::new(
    "a port",
    &[
        ("name", Text),
        ("mode", Known(&["ingress", "host"])),
        ("host_ip", Text),
        ("target", Number(&numbers::PORT)),
        ("published", A(&PUBLISHED_PORT)),
        ("protocol", A(&PROTOCOL)),
        ("app_protocol", Text),
    ],
);

pub(super) static HOOK: Object = Object::new(
    "a hook",
    &[
        ("command", COMMAND),
        ("user", Text),
        ("privileged", Boolean),
        ("working_dir", Text),
        ("environment", UNIQUE_ENVIRONMENT),
    ],
)
.required(&["command"]);

static PROVIDER: Object =
    Object::new("`provider`", &[("type", Text), ("options", Map(&Either(&[OPTION, List(&OPTION)])))])
        .required(&["type"]);

static VOLUME: Object = Object::new(
    "a mount",
    &[
        ("type", Choice(&["bind", "volume", "tmpfs", "cluster", "npipe", "image"])),
        ("source", Text),
        ("target", Text),
        ("read_only", Boolean),
        ("consistency", Text),
        ("bind", In(&BIND)),
        ("volume", In(&NAMED)),
        ("tmpfs", In(&TMPFS)),
        ("image", In(&IMAGE)),
    ],
)
.required(&["type"]);

static BIND: Object = Object::new(
    "`bind`",
    &[
        ("propagation", Text),
        ("create_host_path", Boolean),
        ("recursive", Choice(&["enabled", "disabled", "writable", "readonly"])),
        ("selinux", Choice(&["z", "Z"])),
    ],
);

static NAMED: Object =
    Object::new("`volume`", &[("nocopy", Boolean), ("subpath", Text), ("labels", UNIQUE_OR_MAP)]);

static TMPFS: Object =
    Object::new("`tmpfs`", &[("size", Bytes(Size::Natural)), ("mode", Number(&numbers::BITS))]);

static IMAGE: Object = Object::new("`image`", &[("subpath", Text)]);
