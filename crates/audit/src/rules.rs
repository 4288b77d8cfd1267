//! The rules: one file each, one folder for each group.

use crate::Rule;

mod security {
    pub(super) mod confinement_disabled;
    pub(super) mod dangerous_capability;
    pub(super) mod engine_socket;
    pub(super) mod host_device;
    pub(super) mod host_namespace;
    pub(super) mod missing_hardening;
    pub(super) mod privileged;
    pub(super) mod root_user;
    pub(super) mod sensitive_host_path;
    pub(super) mod shared_propagation;
}

mod secrets {
    pub(super) mod credential_default;
    pub(super) mod credential_in_build_args;
    pub(super) mod credential_in_command;
    pub(super) mod credential_in_environment;
    pub(super) mod credential_in_url;
    pub(super) mod default_credential;
    pub(super) mod empty_credential;
    pub(super) mod known_token;
    pub(super) mod literal_credential;
    pub(super) mod placeholder_credential;
}

mod network {
    pub(super) mod engine_api_on_tcp;
    pub(super) mod published_datastore_port;
    pub(super) mod published_ssh_port;
    pub(super) mod tls_verification_off;
    pub(super) mod wildcard_origin;
}

mod images {
    pub(super) mod development_tool;
    pub(super) mod end_of_life_image;
    pub(super) mod moving_tag;
}

mod data {
    pub(super) mod authentication_disabled;
    pub(super) mod open_dashboard;
    pub(super) mod scaled_datastore;
    pub(super) mod stateful_without_volume;
}

mod reliability {
    pub(super) mod healthcheck_always_true;
    pub(super) mod missing_healthcheck;
    pub(super) mod missing_restart_policy;
    pub(super) mod short_grace_period;
    pub(super) mod undeclared_job;
    pub(super) mod unguarded_dependency;
}

mod resources {
    pub(super) mod logs_discarded;
    pub(super) mod missing_limits;
    pub(super) mod missing_log_rotation;
}

mod delivery {
    pub(super) mod debug_mode;
    pub(super) mod fixed_container_name;
    pub(super) mod source_bind_mount;
    pub(super) mod unused_declaration;
}

/// All rules, by group.
pub const ALL: &[Rule] = &[
    security::privileged::RULE,
    security::engine_socket::RULE,
    security::host_device::RULE,
    security::sensitive_host_path::RULE,
    security::dangerous_capability::RULE,
    security::host_namespace::RULE,
    security::confinement_disabled::RULE,
    security::root_user::RULE,
    security::missing_hardening::RULE,
    security::shared_propagation::RULE,
    secrets::known_token::RULE,
    secrets::literal_credential::RULE,
    secrets::default_credential::RULE,
    secrets::placeholder_credential::RULE,
    secrets::credential_default::RULE,
    secrets::credential_in_url::RULE,
    secrets::credential_in_command::RULE,
    secrets::credential_in_build_args::RULE,
    secrets::empty_credential::RULE,
    secrets::credential_in_environment::RULE,
    network::engine_api_on_tcp::RULE,
    network::published_datastore_port::RULE,
    network::tls_verification_off::RULE,
    network::published_ssh_port::RULE,
    network::wildcard_origin::RULE,
    images::end_of_life_image::RULE,
    images::moving_tag::RULE,
    images::development_tool::RULE,
    data::authentication_disabled::RULE,
    data::open_dashboard::RULE,
    data::stateful_without_volume::RULE,
    data::scaled_datastore::RULE,
    reliability::missing_healthcheck::RULE,
    reliability::healthcheck_always_true::RULE,
    reliability::missing_restart_policy::RULE,
    reliability::unguarded_dependency::RULE,
    reliability::undeclared_job::RULE,
    reliability::short_grace_period::RULE,
    resources::missing_limits::RULE,
    resources::missing_log_rotation::RULE,
    resources::logs_discarded::RULE,
    delivery::source_bind_mount::RULE,
    delivery::debug_mode::RULE,
    delivery::fixed_container_name::RULE,
    delivery::unused_declaration::RULE,
];
