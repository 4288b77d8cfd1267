//! The settings that every program has.

use std::net::{IpAddr, Ipv4Addr};

use tracing_subscriber::EnvFilter;

use super::Setting;

pub(crate) const HOST: &str = "HOST";
pub(crate) const PORT: &str = "PORT";
pub(crate) const LOG_LEVEL: &str = "LOG_LEVEL";
pub(crate) const DEBUG: &str = "DEBUG";
pub(crate) const STOP_LINGER_MILLISECONDS: &str = "STOP_LINGER_MILLISECONDS";
pub(crate) const STOP_DRAIN_SECONDS: &str = "STOP_DRAIN_SECONDS";
pub(crate) const DEFAULT_PORT: u16 = 8080;

/// `DEBUG` stands first: it decides how the others are judged.
pub(crate) fn settings() -> Vec<Setting> {
    let is_host = |text: &str| host(text).is_some();
    let is_switch = |text: &str| matches!(text, "0" | "1" | "true" | "false");
    vec![
        Setting::with_default(DEBUG, "0", "development mode").matching("`1` or `0`", is_switch),
        Setting::with_default(HOST, "127.0.0.1", "the address to listen on")
            .matching("an IP address or `localhost`", is_host),
        Setting::with_default(PORT, DEFAULT_PORT.to_string(), "the port to listen on")
            .number(0..=u64::from(u16::MAX)),
        Setting::with_default(LOG_LEVEL, "info", "what is logged").matching(
            "`error`, `warn`, `info`, `debug` or `trace`, or a list such as `info,hyper=warn`",
            is_log_level,
        ),
        Setting::with_default(
            STOP_LINGER_MILLISECONDS,
            "500",
            "how long a stopping service still takes requests",
        )
        .number(0..=60_000),
        Setting::with_default(STOP_DRAIN_SECONDS, "25", "how long its last requests may take")
            .number(0..=3600),
    ]
}

pub(crate) fn host(text: &str) -> Option<IpAddr> {
    if text == "localhost" { Some(Ipv4Addr::LOCALHOST.into()) } else { text.parse().ok() }
}

pub(crate) fn is_log_level(text: &str) -> bool {
    // A bare word would be taken for the name of a module, and silence everything else.
    let is_level =
        |word: &str| word.contains('=') || word.parse::<tracing::level_filters::LevelFilter>().is_ok();
    text.split(',').all(is_level) && EnvFilter::try_new(text).is_ok()
}
