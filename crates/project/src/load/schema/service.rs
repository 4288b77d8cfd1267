//! A service (Compose Specification, "Services top-level element").

use super::Shape::{
    Any, Boolean, Choice, Duration, Either, Form as A, Integer, Known, List, Map, Number, Object as In,
    Plain, Processors, Size, Text,
};
use super::{
    Form, HOSTS, LIST_OR_MAP, Object, PLAIN_MAP, PLAINS, Shape, TEXT_OR_LIST, TEXTS, deploy, own, project,
};

pub(super) static SERVICE: Object = Object {
    name: "a service",
    keys: &[
        ("annotations", LIST_OR_MAP),
        ("attach", Boolean),
        ("blkio_config", In(&BLKIO)),
        ("build", Either(&[Text, In(&project::BUILD)])),
        ("cap_add", TEXTS),
        ("cap_drop", TEXTS),
        ("cgroup", Choice(&["host", "private"])),
        ("cgroup_parent", Text),
        ("command", TEXT_OR_LIST_OF_PLAINS),
        ("configs", List(&GRANT)),
        ("container_name", Text),
        ("cpu_count", Integer),
        ("cpu_percent", Number),
        ("cpu_period", Either(&[Number, Duration])),
        ("cpu_quota", Either(&[Number, Duration])),
        ("cpu_rt_period", Either(&[Number, Duration])),
        ("cpu_rt_runtime", Either(&[Number, Duration])),
        ("cpu_shares", Number),
        ("cpus", Processors),
        ("cpuset", Plain),
        ("credential_spec", In(&CREDENTIAL_SPEC)),
        ("depends_on", Either(&[TEXTS, Map(&In(&DEPENDENCY))])),
        ("deploy", In(&deploy::DEPLOY)),
        ("develop", In(&project::DEVELOP)),
        ("device_cgroup_rules", TEXTS),
        ("devices", List(&Either(&[Text, In(&DEVICE)]))),
        ("dns", TEXT_OR_LIST),
        ("dns_opt", TEXTS),
        ("dns_search", TEXT_OR_LIST),
        ("domainname", Text),
        ("entrypoint", TEXT_OR_LIST_OF_PLAINS),
        ("env_file", Either(&[Text, List(&Either(&[Text, In(&ENV_FILE)])), In(&ENV_FILE)])),
        ("environment", LIST_OR_MAP),
        ("expose", List(&A(&EXPOSED))),
        ("extends", Either(&[Text, In(&EXTENDS)])),
        ("external_links", TEXTS),
        ("extra_hosts", HOSTS),
        ("gpus", Either(&[Choice(&["all"]), List(&In(&deploy::DEVICE))])),
        ("group_add", PLAINS),
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
        ("mem_limit", Size),
        ("mem_reservation", Size),
        ("mem_swappiness", Size),
        ("memswap_limit", Size),
        ("models", Either(&[TEXTS, Map(&In(&MODEL))])),
        ("network_mode", Text),
        ("networks", Either(&[TEXTS, Map(&In(&NETWORK))])),
        ("oom_kill_disable", Boolean),
        ("oom_score_adj", Integer),
        ("pid", Text),
        ("pids_limit", Integer),
        ("platform", Text),
        ("ports", List(&Either(&[Plain, In(&PORT)]))),
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
        ("scale", Integer),
        ("secrets", List(&GRANT)),
        ("security_opt", TEXTS),
        ("shm_size", Size),
        ("stdin_open", Boolean),
        ("stop_grace_period", Duration),
        ("stop_signal", Text),
        ("storage_opt", PLAIN_MAP),
        ("sysctls", LIST_OR_MAP),
        ("tmpfs", TEXT_OR_LIST),
        ("tty", Boolean),
        ("ulimits", Map(&ULIMIT)),
        ("use_api_socket", Boolean),
        ("user", Text),
        ("userns_mode", Text),
        ("uts", Text),
        ("volumes", List(&Either(&[Text, In(&VOLUME)]))),
        ("volumes_from", TEXTS),
        ("working_dir", Text),
        ("x-seaworthy", In(&own::SERVICE)),
    ],
    extensible: true,
};

const TEXT_OR_LIST_OF_PLAINS: Shape = Either(&[Text, PLAINS]);

pub(super) const GRANT: Shape = Either(&[Text, In(&GRANT_LONG)]);

static GRANT_LONG: Object = Object {
    name: "a granted secret or config",
    keys: &[("source", Text), ("target", Text), ("uid", Plain), ("gid", Plain), ("mode", A(&MODE))],
    extensible: true,
};

pub(super) const ULIMIT: Shape = Either(&[Integer, In(&ULIMIT_LONG)]);

static ULIMIT_LONG: Object =
    Object { name: "a ulimit", keys: &[("soft", Integer), ("hard", Integer)], extensible: true };

static EXPOSED: Form = Form {
    expected: "a port or a range such as `8080` or `9000-9010/udp`",
    accepts: |text| text.starts_with(|c: char| c.is_ascii_digit()),
    enforced: false,
};

static MODE: Form = Form {
    expected: "permission bits such as `\"0440\"`",
    accepts: |text| u32::from_str_radix(text.trim_start_matches("0o"), 8).is_ok_and(|mode| mode <= 0o7777),
    enforced: true,
};

static RESTART: Form = Form {
    expected: "`no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`",
    accepts: |text| match text.split_once(':') {
        Some(("on-failure", count)) => count.parse::<u32>().is_ok(),
        Some(_) => false,
        None => matches!(text, "no" | "always" | "unless-stopped" | "on-failure"),
    },
    enforced: false,
};

static PULL_POLICY: Form = Form {
    expected: "`always`, `never`, `missing`, `build`, `daily`, `weekly` or `every_12h`",
    // Compose looks for one of these words anywhere.
    accepts: |text| {
        let words = ["always", "never", "build", "if_not_present", "missing", "refresh", "daily", "weekly"];
        text.contains("every_") || words.iter().any(|word| text.contains(word))
    },
    enforced: true,
};

static PROTOCOL: Form = Form {
    expected: "`tcp`, `udp` or `sctp`",
    accepts: |text| matches!(text.to_ascii_lowercase().as_str(), "tcp" | "udp" | "sctp"),
    enforced: false,
};

static TARGET_PORT: Form = Form {
    expected: "a port number from 1 to 65535",
    accepts: |text| text.parse::<u16>().is_ok_and(|port| port > 0),
    enforced: false,
};

static PUBLISHED_PORT: Form = Form {
    expected: "a port number or a range such as `8080` or `8000-8010`",
    accepts: |text| text.is_empty() || text.split('-').all(|port| port.parse::<u16>().is_ok()),
    enforced: false,
};

static BLKIO: Object = Object {
    name: "`blkio_config`",
    keys: &[
        ("weight", Integer),
        ("weight_device", List(&In(&DEVICE_WEIGHT))),
        ("device_read_bps", List(&In(&DEVICE_RATE))),
        ("device_read_iops", List(&In(&DEVICE_RATE))),
        ("device_write_bps", List(&In(&DEVICE_RATE))),
        ("device_write_iops", List(&In(&DEVICE_RATE))),
    ],
    extensible: false,
};

static DEVICE_WEIGHT: Object =
    Object { name: "a device's weight", keys: &[("path", Text), ("weight", Integer)], extensible: false };

static DEVICE_RATE: Object =
    Object { name: "a device's rate", keys: &[("path", Text), ("rate", Size)], extensible: false };

static CREDENTIAL_SPEC: Object = Object {
    name: "`credential_spec`",
    keys: &[("config", Text), ("file", Text), ("registry", Text)],
    extensible: true,
};

static DEPENDENCY: Object = Object {
    name: "a dependency",
    keys: &[
        ("condition", Choice(&["service_started", "service_healthy", "service_completed_successfully"])),
        ("restart", Boolean),
        ("required", Boolean),
    ],
    extensible: true,
};

static DEVICE: Object = Object {
    name: "a device",
    keys: &[("source", Text), ("target", Text), ("permissions", Text)],
    extensible: true,
};

static ENV_FILE: Object = Object {
    name: "an `env_file` entry",
    keys: &[("path", Text), ("required", Boolean), ("format", Choice(&["raw", ".env", ""]))],
    extensible: false,
};

static EXTENDS: Object =
    Object { name: "`extends`", keys: &[("service", Text), ("file", Text)], extensible: false };

static HEALTHCHECK: Object = Object {
    name: "`healthcheck`",
    keys: &[
        ("disable", Boolean),
        ("test", TEXT_OR_LIST_OF_PLAINS),
        ("interval", Duration),
        ("timeout", Duration),
        ("retries", Integer),
        ("start_period", Duration),
        ("start_interval", Duration),
    ],
    extensible: true,
};

static LOGGING: Object =
    Object { name: "`logging`", keys: &[("driver", Text), ("options", PLAIN_MAP)], extensible: true };

static MODEL: Object =
    Object { name: "a model", keys: &[("endpoint_var", Text), ("model_var", Text)], extensible: true };

static NETWORK: Object = Object {
    name: "a service's network",
    keys: &[
        ("aliases", TEXTS),
        ("interface_name", Text),
        ("ipv4_address", Text),
        ("ipv6_address", Text),
        ("link_local_ips", TEXTS),
        ("mac_address", Text),
        ("driver_opts", PLAIN_MAP),
        ("priority", Number),
        ("gw_priority", Number),
    ],
    extensible: true,
};

static PORT: Object = Object {
    name: "a port",
    keys: &[
        ("name", Text),
        ("mode", Known(&["ingress", "host"])),
        ("host_ip", Text),
        ("target", A(&TARGET_PORT)),
        ("published", A(&PUBLISHED_PORT)),
        ("protocol", A(&PROTOCOL)),
        ("app_protocol", Text),
    ],
    extensible: true,
};

pub(super) static HOOK: Object = Object {
    name: "a hook",
    keys: &[
        ("command", TEXT_OR_LIST_OF_PLAINS),
        ("user", Text),
        ("privileged", Boolean),
        ("working_dir", Text),
        ("environment", LIST_OR_MAP),
    ],
    extensible: true,
};

static PROVIDER: Object =
    Object { name: "`provider`", keys: &[("type", Text), ("options", Map(&Any))], extensible: true };

static VOLUME: Object = Object {
    name: "a mount",
    keys: &[
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
    extensible: true,
};

static BIND: Object = Object {
    name: "`bind`",
    keys: &[
        ("propagation", Text),
        ("create_host_path", Boolean),
        ("recursive", Choice(&["enabled", "disabled", "writable", "readonly"])),
        ("selinux", Choice(&["z", "Z"])),
    ],
    extensible: true,
};

static NAMED: Object = Object {
    name: "`volume`",
    keys: &[("nocopy", Boolean), ("subpath", Text), ("labels", LIST_OR_MAP)],
    extensible: true,
};

static TMPFS: Object = Object { name: "`tmpfs`", keys: &[("size", Size), ("mode", Plain)], extensible: true };

static IMAGE: Object = Object { name: "`image`", keys: &[("subpath", Text)], extensible: true };
