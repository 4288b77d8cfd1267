//! Configuration that is complete and safe, or the program does not start.

pub(crate) mod problem;
mod read;
mod setting;
pub(crate) mod source;
mod standard;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use indexmap::IndexMap;

pub use problem::{ConfigError, ConfigProblem, Fault};
pub use setting::Setting;
pub(crate) use standard::is_log_level;

use crate::Secret;
use source::Source;

/// The settings of a program, all of them present and acceptable.
#[derive(Debug)]
pub struct Config {
    values: IndexMap<&'static str, Value>,
    tolerated: Vec<ConfigProblem>,
}

#[derive(Debug)]
enum Value {
    Text(String),
    Secret(Secret),
}

impl Config {
    /// Reads `settings`, and the standard ones: `HOST` (127.0.0.1), `PORT` (8080), `LOG_LEVEL` (info), `DEBUG` (0),
    /// `STOP_LINGER_MILLISECONDS` (500) and `STOP_DRAIN_SECONDS` (25).
    ///
    /// Each may stand in the variable of its name, or in a file that the variable `<NAME>_FILE` names. A variable that
    /// is empty counts as not set. With `DEBUG=1`, secrets that are too weak for production are tolerated.
    ///
    /// # Errors
    /// One error that tells every setting that is missing, unreadable, malformed or insecure, by name, never by value.
    pub fn load(
        source: &dyn Source,
        settings: impl IntoIterator<Item = Setting>,
    ) -> Result<Self, ConfigError> {
        let mut config = Self { values: IndexMap::new(), tolerated: Vec::new() };
        let mut problems = Vec::new();
        for setting in standard::settings().into_iter().chain(settings) {
            match read::value(source, &setting) {
                Ok(None) => {}
                Ok(Some(text)) => {
                    let weakness = setting.weakness(&text).map(|fault| setting.problem(fault));
                    match weakness {
                        Some(problem) if config.is_development() => config.tolerated.push(problem),
                        Some(problem) => problems.push(problem),
                        None => {}
                    }
                    config.values.insert(setting.name(), setting.wrap(text));
                }
                Err(fault) => problems.push(setting.problem(fault)),
            }
        }
        if problems.is_empty() { Ok(config) } else { Err(ConfigError { problems }) }
    }

    /// The value of a setting; empty when it is optional and not set, or a secret.
    pub fn text(&self, name: &str) -> &str {
        match self.values.get(name) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// The value of a setting that was declared as a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.text(name).parse().ok()
    }

    /// The value of a secret setting; an empty one, which matches nothing, when none of that name was declared.
    pub fn secret(&self, name: &str) -> Secret {
        match self.values.get(name) {
            Some(Value::Secret(secret)) => secret.clone(),
            _ => Secret::new(""),
        }
    }

    /// Whether this is somebody's development machine: `DEBUG` is on.
    pub fn is_development(&self) -> bool {
        matches!(self.text(standard::DEBUG), "1" | "true")
    }

    /// Weak secrets that a production start would have refused.
    pub fn tolerated(&self) -> &[ConfigProblem] {
        &self.tolerated
    }

    /// Where to listen: `HOST` and `PORT`.
    pub fn address(&self) -> SocketAddr {
        let host = standard::host(self.text(standard::HOST)).unwrap_or(IpAddr::from([127, 0, 0, 1]));
        let port = self.text(standard::PORT).parse().unwrap_or(standard::DEFAULT_PORT);
        SocketAddr::new(host, port)
    }

    /// How long a stopping service still takes requests: `STOP_LINGER_MILLISECONDS`.
    pub(crate) fn linger(&self) -> Option<Duration> {
        self.number(standard::STOP_LINGER_MILLISECONDS).map(Duration::from_millis)
    }

    /// How long its last requests may take: `STOP_DRAIN_SECONDS`.
    pub(crate) fn drain_limit(&self) -> Option<Duration> {
        self.number(standard::STOP_DRAIN_SECONDS).map(Duration::from_secs)
    }

    /// What to log: `LOG_LEVEL`.
    pub fn log_level(&self) -> &str {
        self.text(standard::LOG_LEVEL)
    }
}
