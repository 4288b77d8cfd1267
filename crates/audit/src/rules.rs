//! The rules: one file each, one folder for each group.

use crate::Rule;

mod security {
    pub(super) mod confinement_disabled;
    pub(super) mod dangerous_capability;
    pub(super) mod engine_socket;
    pub(super) mod host_device;
    pub(super) mod host_namespace;
    pub(super) mod inert_host_namespace;
    pub(super) mod missing_hardening;
    pub(super) mod privileged;
    pub(super) mod root_user;
    pub(super) mod sensitive_host_path;
    pub(super) mod shared_propagation;
    pub(super) mod tmpfs_with_programs;
    pub(super) mod unsafe_sysctl;
    pub(super) mod weakened_base;
    pub(super) mod writable_settings_mount;
}

mod secrets {
    pub(super) mod credential_default;
    pub(super) mod credential_in_build_args;
    pub(super) mod credential_in_command;
    pub(super) mod credential_in_environment;
    pub(super) mod credential_in_label;
    pub(super) mod credential_in_url;
    pub(super) mod default_credential;
    pub(super) mod disagreeing_credentials;
    pub(super) mod empty_credential;
    pub(super) mod environment_file_in_git;
    pub(super) mod known_token;
    pub(super) mod literal_credential;
    pub(super) mod placeholder_credential;
    pub(super) mod swallowed_dollar;
    pub(super) mod token_in_example_file;
    pub(super) mod unsafe_environment_value;
    pub(super) mod weak_credential_in_file;
}

mod network {
    pub(super) mod bypassed_proxy;
    pub(super) mod datastore_beside_edge;
    pub(super) mod disagreeing_port;
    pub(super) mod engine_api_on_tcp;
    pub(super) mod exposed_by_default;
    pub(super) mod insecure_cookie;
    pub(super) mod published_datastore_port;
    pub(super) mod published_ssh_port;
    pub(super) mod tls_verification_off;
    pub(super) mod wildcard_origin;
}

mod build {
    pub(super) mod add_for_copy;
    pub(super) mod base_image_without_digest;
    pub(super) mod broken_dockerfile;
    pub(super) mod broken_stage_reference;
    pub(super) mod compiler_in_image;
    pub(super) mod credential_in_build_step;
    pub(super) mod credential_in_image;
    pub(super) mod dated_instruction;
    pub(super) mod development_mode_in_image;
    pub(super) mod end_of_life_base_image;
    pub(super) mod environment_file_in_image;
    pub(super) mod fixed_platform;
    pub(super) mod full_upgrade;
    pub(super) mod healthcheck_off_in_image;
    pub(super) mod ignored_file_copied;
    pub(super) mod invalid_exposed_port;
    pub(super) mod kill_stop_signal;
    pub(super) mod lock_file_ignored;
    pub(super) mod login_password_in_image;
    pub(super) mod missing_dockerignore;
    pub(super) mod moving_base_image;
    pub(super) mod odd_workdir;
    pub(super) mod overridden_instruction;
    pub(super) mod package_cache_in_image;
    pub(super) mod package_index_alone;
    pub(super) mod package_runner_as_main_process;
    pub(super) mod pipe_hides_failure;
    pub(super) mod piped_download;
    pub(super) mod port_mismatch;
    pub(super) mod program_writable_by_its_user;
    pub(super) mod recommended_packages;
    pub(super) mod root_in_image;
    pub(super) mod secret_build_argument;
    pub(super) mod secret_file_in_image;
    pub(super) mod setuid_in_image;
    pub(super) mod shell_form_command;
    pub(super) mod source_before_dependencies;
    pub(super) mod ssh_in_image;
    pub(super) mod sudo_in_image;
    pub(super) mod unattended_install;
    pub(super) mod unchecked_download;
    pub(super) mod unseen_dockerfile;
    pub(super) mod unset_build_variable;
    pub(super) mod unsigned_packages;
    pub(super) mod unused_stage;
    pub(super) mod unverified_transfer;
    pub(super) mod unwritable_volume;
    pub(super) mod world_writable_files;
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
    pub(super) mod healthcheck_on_other_port;
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
    pub(super) mod unbounded_ulimit;
}

mod delivery {
    pub(super) mod ambiguous_value;
    pub(super) mod debug_mode;
    pub(super) mod duplicate_variable;
    pub(super) mod environment_file_format;
    pub(super) mod example_out_of_step;
    pub(super) mod fixed_container_name;
    pub(super) mod malformed_environment_line;
    pub(super) mod setting_without_effect;
    pub(super) mod source_bind_mount;
    pub(super) mod unfilled_variable;
    pub(super) mod unset_variable;
    pub(super) mod unused_declaration;
    pub(super) mod unused_variable;
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
    security::writable_settings_mount::RULE,
    security::tmpfs_with_programs::RULE,
    security::unsafe_sysctl::RULE,
    security::weakened_base::RULE,
    security::inert_host_namespace::RULE,
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
    secrets::credential_in_label::RULE,
    secrets::environment_file_in_git::RULE,
    secrets::swallowed_dollar::RULE,
    secrets::weak_credential_in_file::RULE,
    secrets::token_in_example_file::RULE,
    secrets::unsafe_environment_value::RULE,
    secrets::disagreeing_credentials::RULE,
    network::engine_api_on_tcp::RULE,
    network::published_datastore_port::RULE,
    network::tls_verification_off::RULE,
    network::published_ssh_port::RULE,
    network::wildcard_origin::RULE,
    network::exposed_by_default::RULE,
    network::bypassed_proxy::RULE,
    network::disagreeing_port::RULE,
    network::insecure_cookie::RULE,
    network::datastore_beside_edge::RULE,
    build::broken_dockerfile::RULE,
    build::broken_stage_reference::RULE,
    build::piped_download::RULE,
    build::unverified_transfer::RULE,
    build::unsigned_packages::RULE,
    build::credential_in_image::RULE,
    build::credential_in_build_step::RULE,
    build::secret_build_argument::RULE,
    build::secret_file_in_image::RULE,
    build::environment_file_in_image::RULE,
    build::missing_dockerignore::RULE,
    build::unchecked_download::RULE,
    build::root_in_image::RULE,
    build::moving_base_image::RULE,
    build::end_of_life_base_image::RULE,
    build::odd_workdir::RULE,
    build::sudo_in_image::RULE,
    build::ssh_in_image::RULE,
    build::login_password_in_image::RULE,
    build::world_writable_files::RULE,
    build::shell_form_command::RULE,
    build::kill_stop_signal::RULE,
    build::overridden_instruction::RULE,
    build::unset_build_variable::RULE,
    build::lock_file_ignored::RULE,
    build::development_mode_in_image::RULE,
    build::port_mismatch::RULE,
    build::unwritable_volume::RULE,
    build::invalid_exposed_port::RULE,
    build::ignored_file_copied::RULE,
    build::unseen_dockerfile::RULE,
    build::package_cache_in_image::RULE,
    build::recommended_packages::RULE,
    build::unattended_install::RULE,
    build::package_index_alone::RULE,
    build::full_upgrade::RULE,
    build::add_for_copy::RULE,
    build::pipe_hides_failure::RULE,
    build::dated_instruction::RULE,
    build::source_before_dependencies::RULE,
    build::compiler_in_image::RULE,
    build::setuid_in_image::RULE,
    build::unused_stage::RULE,
    build::base_image_without_digest::RULE,
    build::fixed_platform::RULE,
    build::package_runner_as_main_process::RULE,
    build::healthcheck_off_in_image::RULE,
    build::program_writable_by_its_user::RULE,
    images::end_of_life_image::RULE,
    images::moving_tag::RULE,
    images::development_tool::RULE,
    data::authentication_disabled::RULE,
    data::open_dashboard::RULE,
    data::stateful_without_volume::RULE,
    data::scaled_datastore::RULE,
    reliability::missing_healthcheck::RULE,
    reliability::healthcheck_always_true::RULE,
    reliability::healthcheck_on_other_port::RULE,
    reliability::missing_restart_policy::RULE,
    reliability::unguarded_dependency::RULE,
    reliability::undeclared_job::RULE,
    reliability::short_grace_period::RULE,
    resources::missing_limits::RULE,
    resources::missing_log_rotation::RULE,
    resources::logs_discarded::RULE,
    resources::unbounded_ulimit::RULE,
    delivery::source_bind_mount::RULE,
    delivery::debug_mode::RULE,
    delivery::fixed_container_name::RULE,
    delivery::unused_declaration::RULE,
    delivery::malformed_environment_line::RULE,
    delivery::duplicate_variable::RULE,
    delivery::ambiguous_value::RULE,
    delivery::environment_file_format::RULE,
    delivery::example_out_of_step::RULE,
    delivery::setting_without_effect::RULE,
    delivery::unused_variable::RULE,
    delivery::unfilled_variable::RULE,
    delivery::unset_variable::RULE,
];
