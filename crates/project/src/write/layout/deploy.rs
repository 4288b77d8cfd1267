//! `deploy` of a service.

use super::{Layout, given, list, one, part, telling};

pub(super) static DEPLOY: Layout = Layout {
    fields: &[
        telling("mode"),
        given("replicas"),
        telling("labels"),
        one("update_config", &UPDATE),
        one("rollback_config", &UPDATE),
        part("resources", &RESOURCES),
        one("restart_policy", &RESTART_POLICY),
        part("placement", &PLACEMENT),
        telling("endpoint_mode"),
    ],
    extensions: true,
    capitals: false,
};

static UPDATE: Layout = Layout {
    fields: &[
        given("parallelism"),
        telling("delay"),
        telling("failure_action"),
        telling("monitor"),
        telling("max_failure_ratio"),
        telling("order"),
    ],
    extensions: true,
    capitals: false,
};

static RESOURCES: Layout = Layout {
    fields: &[one("limits", &RESOURCE), one("reservations", &RESOURCE)],
    extensions: true,
    capitals: false,
};

static RESOURCE: Layout = Layout {
    fields: &[
        telling("cpus"),
        telling("memory"),
        telling("pids"),
        list("devices", &DEVICE_REQUEST),
        list("generic_resources", &GENERIC),
    ],
    extensions: true,
    capitals: false,
};

pub(super) static DEVICE_REQUEST: Layout = Layout {
    fields: &[
        telling("capabilities"),
        telling("driver"),
        telling("count"),
        telling("device_ids"),
        telling("options"),
    ],
    extensions: false,
    capitals: false,
};

static GENERIC: Layout =
    Layout { fields: &[one("discrete_resource_spec", &DISCRETE)], extensions: true, capitals: false };

static DISCRETE: Layout =
    Layout { fields: &[given("kind"), given("value")], extensions: true, capitals: false };

static RESTART_POLICY: Layout = Layout {
    fields: &[telling("condition"), given("delay"), given("max_attempts"), given("window")],
    extensions: true,
    capitals: false,
};

static PLACEMENT: Layout = Layout {
    fields: &[telling("constraints"), list("preferences", &PREFERENCE), telling("max_replicas_per_node")],
    extensions: true,
    capitals: false,
};

static PREFERENCE: Layout = Layout { fields: &[telling("spread")], extensions: true, capitals: false };
