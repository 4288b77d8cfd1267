//! A service.

use super::{Layout, given, list, map, one, part, telling, word};
use crate::write::layout::deploy::{DEPLOY, DEVICE_REQUEST};

pub(in crate::write) static SERVICE: Layout = Layout {
    fields: &[
        telling("profiles"),
        telling("annotations"),
        given("attach"),
        one("build", &BUILD),
        one("develop", &DEVELOP),
        one("blkio_config", &BLKIO),
        telling("cap_add"),
        telling("cap_drop"),
        telling("cgroup_parent"),
        telling("cgroup"),
        telling("cpu_count"),
        telling("cpu_percent"),
        telling("cpu_period"),
        telling("cpu_quota"),
        telling("cpu_rt_period"),
        telling("cpu_rt_runtime"),
        telling("cpus"),
        telling("cpuset"),
        telling("cpu_shares"),
        word("command"),
        list("configs", &GRANT),
        telling("container_name"),
        one("credential_spec", &CREDENTIAL_SPEC),
        map("depends_on", &DEPENDENCY),
        one("deploy", &DEPLOY),
        telling("device_cgroup_rules"),
        list("devices", &DEVICE),
        telling("dns"),
        telling("dns_opt"),
        telling("dns_search"),
        telling("domainname"),
        word("entrypoint"),
        one("provider", &PROVIDER),
        telling("environment"),
        list("env_file", &ENV_FILE),
        telling("expose"),
        one("extends", &EXTENDS),
        telling("external_links"),
        telling("extra_hosts"),
        telling("group_add"),
        list("gpus", &DEVICE_REQUEST),
        telling("hostname"),
        one("healthcheck", &HEALTHCHECK),
        telling("image"),
        given("init"),
        telling("ipc"),
        telling("isolation"),
        telling("labels"),
        telling("label_file"),
        telling("links"),
        one("logging", &LOGGING),
        telling("mem_limit"),
        telling("mem_reservation"),
        telling("memswap_limit"),
        telling("mem_swappiness"),
        telling("mac_address"),
        map("models", &MODEL),
        telling("network_mode"),
        map("networks", &NETWORK),
        telling("oom_kill_disable"),
        telling("oom_score_adj"),
        telling("pid"),
        telling("pids_limit"),
        telling("platform"),
        list("ports", &PORT),
        telling("privileged"),
        telling("pull_policy"),
        telling("read_only"),
        telling("restart"),
        telling("runtime"),
        given("scale"),
        list("secrets", &GRANT),
        telling("security_opt"),
        telling("shm_size"),
        telling("stdin_open"),
        given("stop_grace_period"),
        telling("stop_signal"),
        telling("storage_opt"),
        telling("sysctls"),
        telling("tmpfs"),
        telling("tty"),
        map("ulimits", &ULIMIT),
        telling("use_api_socket"),
        telling("user"),
        telling("userns_mode"),
        telling("uts"),
        list("volumes", &VOLUME),
        telling("volumes_from"),
        telling("working_dir"),
        list("post_start", &HOOK),
        list("pre_stop", &HOOK),
    ],
    extensions: true,
    capitals: false,
};

static BUILD: Layout = Layout {
    fields: &[
        telling("context"),
        telling("dockerfile"),
        telling("dockerfile_inline"),
        telling("entitlements"),
        telling("args"),
        telling("provenance"),
        telling("sbom"),
        telling("ssh"),
        telling("labels"),
        telling("cache_from"),
        telling("cache_to"),
        telling("no_cache"),
        telling("additional_contexts"),
        telling("pull"),
        telling("extra_hosts"),
        telling("isolation"),
        telling("network"),
        telling("target"),
        list("secrets", &GRANT),
        telling("shm_size"),
        telling("tags"),
        map("ulimits", &ULIMIT),
        telling("platforms"),
        telling("privileged"),
    ],
    extensions: true,
    capitals: false,
};

static DEVELOP: Layout = Layout { fields: &[list("watch", &WATCH)], extensions: true, capitals: false };

static WATCH: Layout = Layout {
    fields: &[
        given("path"),
        given("action"),
        telling("target"),
        part("exec", &HOOK),
        telling("include"),
        telling("ignore"),
        telling("initial_sync"),
    ],
    extensions: true,
    capitals: false,
};

static HOOK: Layout = Layout {
    fields: &[
        word("command"),
        telling("user"),
        telling("privileged"),
        telling("working_dir"),
        telling("environment"),
    ],
    extensions: true,
    capitals: false,
};

static BLKIO: Layout = Layout {
    fields: &[
        telling("weight"),
        list("weight_device", &WEIGHT),
        list("device_read_bps", &RATE),
        list("device_read_iops", &RATE),
        list("device_write_bps", &RATE),
        list("device_write_iops", &RATE),
    ],
    extensions: true,
    capitals: false,
};

static WEIGHT: Layout =
    Layout { fields: &[given("path"), given("weight")], extensions: false, capitals: true };

static RATE: Layout = Layout { fields: &[given("path"), given("rate")], extensions: false, capitals: true };

/// A secret or config given to a service.
static GRANT: Layout = Layout {
    fields: &[telling("source"), telling("target"), telling("uid"), telling("gid"), given("mode")],
    extensions: true,
    capitals: false,
};

static CREDENTIAL_SPEC: Layout = Layout {
    fields: &[telling("config"), telling("file"), telling("registry")],
    extensions: true,
    capitals: false,
};

static DEPENDENCY: Layout = Layout {
    fields: &[telling("condition"), telling("restart"), given("required")],
    extensions: true,
    capitals: false,
};

static DEVICE: Layout = Layout {
    fields: &[telling("source"), telling("target"), telling("permissions")],
    extensions: true,
    capitals: false,
};

static PROVIDER: Layout =
    Layout { fields: &[telling("type"), telling("options")], extensions: true, capitals: false };

static ENV_FILE: Layout = Layout {
    fields: &[telling("path"), given("required"), telling("format")],
    extensions: false,
    capitals: false,
};

static EXTENDS: Layout =
    Layout { fields: &[telling("file"), telling("service")], extensions: false, capitals: false };

static HEALTHCHECK: Layout = Layout {
    fields: &[
        telling("test"),
        given("timeout"),
        given("interval"),
        given("retries"),
        given("start_period"),
        given("start_interval"),
        telling("disable"),
    ],
    extensions: true,
    capitals: false,
};

static LOGGING: Layout =
    Layout { fields: &[telling("driver"), telling("options")], extensions: true, capitals: false };

static MODEL: Layout =
    Layout { fields: &[telling("endpoint_var"), telling("model_var")], extensions: true, capitals: false };

static NETWORK: Layout = Layout {
    fields: &[
        telling("aliases"),
        telling("driver_opts"),
        telling("gw_priority"),
        telling("interface_name"),
        telling("ipv4_address"),
        telling("ipv6_address"),
        telling("link_local_ips"),
        telling("mac_address"),
        telling("priority"),
    ],
    extensions: true,
    capitals: false,
};

static PORT: Layout = Layout {
    fields: &[
        telling("name"),
        telling("mode"),
        telling("host_ip"),
        telling("target"),
        telling("published"),
        telling("protocol"),
        telling("app_protocol"),
    ],
    extensions: true,
    capitals: false,
};

static ULIMIT: Layout =
    Layout { fields: &[telling("soft"), telling("hard")], extensions: true, capitals: false };

static VOLUME: Layout = Layout {
    fields: &[
        telling("type"),
        telling("source"),
        telling("target"),
        telling("read_only"),
        telling("consistency"),
        one("bind", &BIND),
        one("volume", &NAMED),
        one("tmpfs", &TMPFS),
        one("image", &IMAGE),
    ],
    extensions: true,
    capitals: false,
};

static BIND: Layout = Layout {
    fields: &[telling("selinux"), telling("propagation"), telling("create_host_path"), telling("recursive")],
    extensions: true,
    capitals: false,
};

static NAMED: Layout = Layout {
    fields: &[telling("labels"), telling("nocopy"), telling("subpath")],
    extensions: true,
    capitals: false,
};

static TMPFS: Layout =
    Layout { fields: &[telling("size"), telling("mode")], extensions: true, capitals: false };

static IMAGE: Layout = Layout { fields: &[telling("subpath")], extensions: true, capitals: false };
