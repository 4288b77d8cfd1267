//! A text that redacts itself, and how credentials are told by their name.

use std::fmt;

use zeroize::Zeroize;

/// A text that may be secret: it never shows itself in debug or display output, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Sensitive(String);

impl Sensitive {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the few places that must have it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Drop for Sensitive {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Whether a variable of that name usually holds a credential (and not a path to one, a lifetime, a switch …).
pub fn is_credential_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let words: Vec<&str> =
        name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
    if has(&[
        "FILE",
        "PATH",
        "DIR",
        "URI",
        "URL",
        "TTL",
        "EXPIRY",
        "EXPIRES",
        "LIFETIME",
        "MAX",
        "MIN",
        "LENGTH",
        "PUBLIC",
        "ENABLED",
        "ALGORITHM",
        "HOST",
        "PORT",
        "ID",
        "NAME",
        "HEADER",
        "LIMIT",
    ]) {
        return false;
    }
    has(&[
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "PWD",
        "PASS",
        "SECRET",
        "SECRETS",
        "TOKEN",
        "APIKEY",
        "CREDENTIAL",
        "CREDENTIALS",
    ]) || (has(&["KEY"])
        && has(&[
            "API",
            "SECRET",
            "PRIVATE",
            "ACCESS",
            "MASTER",
            "ENCRYPTION",
            "SIGNING",
            "JWT",
            "AUTH",
            "SESSION",
            "APP",
            "SALT",
        ]))
        || words.iter().any(|word| word.ends_with("PASSWORD") || word.ends_with("SECRETKEY"))
}
