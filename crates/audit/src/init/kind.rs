//! What kind of value a variable wants, told from where it is used, its name and its default.

use std::fmt;

use seaworthy_project::is_credential_name;

/// What kind of value a variable wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something nobody else may know.
    Secret,
    /// A number of a port.
    Port,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Switch,
    /// An address with a scheme.
    Address,
    /// The name of a host.
    Host,
    /// An e-mail address.
    Mail,
    /// A version or tag.
    Version,
    /// A path.
    Path,
    /// An amount of memory, such as `512M`.
    Memory,
    /// Anything else.
    Text,
}

impl Kind {
    /// The kind of a variable. `path` is where it is used, `sample` what it is elsewhere.
    pub(super) fn of(name: &str, path: &[String], sample: Option<&str>) -> Self {
        let upper = name.to_ascii_uppercase();
        let ends = |ends: &[&str]| ends.iter().any(|end| upper.ends_with(end));
        let at = |key: &str| path.iter().any(|part| part == key);
        let sample = sample.unwrap_or_default().to_ascii_lowercase();
        let number = !sample.is_empty() && sample.chars().all(|c| c.is_ascii_digit());
        if is_credential_name(name) {
            Self::Secret
        } else if at("ports") || ends(&["PORT"]) {
            Self::Port
        } else if matches!(sample.as_str(), "true" | "false" | "yes" | "no" | "on" | "off")
            || ends(&["_ENABLED", "DEBUG"])
            || upper.starts_with("ENABLE_")
        {
            Self::Switch
        } else if ends(&["_URL", "_URI", "_DSN", "_ENDPOINT"]) || sample.contains("://") {
            Self::Address
        } else if ends(&["EMAIL", "_MAIL"]) {
            Self::Mail
        } else if ends(&["HOST", "HOSTNAME", "DOMAIN", "SERVER_NAME"]) {
            Self::Host
        } else if ends(&["TAG", "VERSION"]) || (at("image") && !upper.contains("REGISTRY")) {
            Self::Version
        } else if at("memory") || at("mem_limit") {
            Self::Memory
        } else if number {
            Self::Number
        } else if at("volumes") || sample.starts_with(['/', '.', '~']) || ends(&["_DIR", "_PATH"]) {
            Self::Path
        } else {
            Self::Text
        }
    }

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Port => "port",
            Self::Number => "number",
            Self::Switch => "true or false",
            Self::Address => "address",
            Self::Host => "host name",
            Self::Mail => "e-mail address",
            Self::Version => "version",
            Self::Path => "path",
            Self::Memory => "memory",
            Self::Text => "text",
        }
    }

    /// What stands in the template until somebody fills it in. `check` refuses it when it is left.
    pub(super) fn placeholder(self) -> &'static str {
        match self {
            Self::Secret => "<secret>",
            Self::Port => "<port>",
            Self::Number => "<number>",
            Self::Switch => "<true-or-false>",
            Self::Address => "<address>",
            Self::Host => "<host-name>",
            Self::Mail => "<e-mail-address>",
            Self::Version => "<version>",
            Self::Path => "<path>",
            Self::Memory => "<memory>",
            Self::Text => "<text>",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
