//! The top-level `networks`, `volumes`, `secrets`, `configs` and `models`.

use super::{Layout, given, list, part, telling};

pub(in crate::write) static NETWORK: Layout = Layout {
    fields: &[
        telling("name"),
        telling("driver"),
        telling("driver_opts"),
        part("ipam", &IPAM),
        telling("external"),
        telling("internal"),
        telling("attachable"),
        telling("labels"),
        given("enable_ipv4"),
        given("enable_ipv6"),
    ],
    extensions: true,
    capitals: false,
};

static IPAM: Layout =
    Layout { fields: &[telling("driver"), list("config", &POOL)], extensions: true, capitals: false };

static POOL: Layout = Layout {
    fields: &[telling("subnet"), telling("gateway"), telling("ip_range"), telling("aux_addresses")],
    extensions: true,
    capitals: false,
};

pub(in crate::write) static VOLUME: Layout = Layout {
    fields: &[
        telling("name"),
        telling("driver"),
        telling("driver_opts"),
        telling("external"),
        telling("labels"),
    ],
    extensions: true,
    capitals: false,
};

pub(in crate::write) static SECRET: Layout = Layout {
    fields: &[
        telling("name"),
        telling("file"),
        telling("environment"),
        telling("external"),
        telling("labels"),
        telling("driver"),
        telling("driver_opts"),
        telling("template_driver"),
    ],
    extensions: true,
    capitals: false,
};

pub(in crate::write) static CONFIG: Layout = Layout {
    fields: &[
        telling("name"),
        telling("file"),
        telling("environment"),
        telling("content"),
        telling("external"),
        telling("labels"),
        telling("driver"),
        telling("driver_opts"),
        telling("template_driver"),
    ],
    extensions: true,
    capitals: false,
};

pub(in crate::write) static MODEL: Layout = Layout {
    fields: &[telling("name"), telling("model"), telling("context_size"), telling("runtime_flags")],
    extensions: true,
    capitals: false,
};
