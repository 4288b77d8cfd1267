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

/// Words that say that a name is about a credential without being one: a path to it, a lifetime, a switch.
const ABOUT: [&str; 31] = [
    "ALGORITHM",
    "ALLOW",
    "DIR",
    "DISABLE",
    "EMPTY",
    "ENABLE",
    "ENABLED",
    "EXPIRES",
    "EXPIRY",
    "FILE",
    "HASHER",
    "HEADER",
    "HOST",
    "ID",
    "LENGTH",
    "LIFETIME",
    "LIMIT",
    "MAX",
    "MIN",
    "NAME",
    "PATH",
    "POLICY",
    "PORT",
    "PUBLIC",
    "RANDOM",
    "REQUIRE",
    "REQUIRED",
    "RESET",
    "TTL",
    "URI",
    "URL",
];
/// Words that make a name one about a credential where they are the last: a span of time, a kind, a place.
const MEASURES: [&str; 42] = [
    "AGE",
    "ARN",
    "ATTEMPTS",
    "AUDIENCE",
    "AUTHENTICATION",
    "BACKEND",
    "BYTES",
    "COLUMN",
    "CONVERTER",
    "COUNT",
    "DAYS",
    "DRIVER",
    "ENCODER",
    "ENCODING",
    "ENDPOINT",
    "EXPIRATION",
    "EXPIRE",
    "FIELD",
    "FORMAT",
    "HASHERS",
    "HOURS",
    "INTERVAL",
    "ISSUER",
    "LOCATION",
    "LOGIN",
    "METHOD",
    "MINUTES",
    "PREFIX",
    "PROVIDER",
    "REALM",
    "REGION",
    "ROTATION",
    "ROUNDS",
    "SCHEME",
    "SCOPE",
    "SECONDS",
    "SIZE",
    "SUFFIX",
    "TIMEOUT",
    "TYPE",
    "VALIDITY",
    "VERSION",
];
/// Ends of words that are written together: `WEBPASSWORD`, `AUTHKEY`.
const JOINED: [&str; 6] = ["PASSWORD", "SECRETKEY", "TOKEN", "APIKEY", "AUTHKEY", "CLIENTSECRET"];
/// Words that name a credential.
const CREDENTIAL: [&str; 11] = [
    "APIKEY",
    "CREDENTIAL",
    "CREDENTIALS",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PWD",
    "SECRET",
    "SECRETS",
    "TOKEN",
];
/// Words that make a key a credential.
const KEY_OF: [&str; 14] = [
    "ACCESS",
    "API",
    "APP",
    "AUTH",
    "ENCRYPTION",
    "JWT",
    "LICENSE",
    "MASTER",
    "PRIVATE",
    "ROLE",
    "SALT",
    "SECRET",
    "SESSION",
    "SIGNING",
];

/// One of them is in every name that names a credential.
const PIECES: [&str; 8] = ["PASS", "PWD", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "COOKIE", "SALT"];

/// Whether a variable of that name usually holds a credential (and not a path to one, a lifetime, a switch …).
pub fn is_credential_name(name: &str) -> bool {
    // Nearly all names hold none of these pieces, and are asked about often.
    let holds = |piece: &str| {
        name.as_bytes().windows(piece.len()).any(|part| part.eq_ignore_ascii_case(piece.as_bytes()))
    };
    if !PIECES.iter().any(|piece| holds(piece)) {
        return false;
    }
    let name = name.to_ascii_uppercase();
    let words: Vec<&str> =
        name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
    // The shell's own `PWD` is the working folder.
    let is_measure = words.last().is_some_and(|last| MEASURES.contains(last));
    if has(&ABOUT) || is_measure || words == ["PWD"] {
        return false;
    }
    let joined = |word: &&str| JOINED.iter().any(|end| word.ends_with(end));
    let pair = |one: &str, other: &str| has(&[one]) && has(&[other]);
    has(&CREDENTIAL)
        || (has(&["KEY"]) && has(&KEY_OF))
        || pair("ERLANG", "COOKIE")
        || pair("AUTH", "SALT")
        || pair("NONCE", "SALT")
        || words.iter().any(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_told_by_their_name() {
        for name in [
            "POSTGRES_PASSWORD",
            "PGPASSWORD",
            "DB_PWD",
            "REDIS_PASS",
            "SECRET_KEY",
            "SECRET_KEY_BASE",
            "JWT_SECRET",
            "AWS_SECRET_ACCESS_KEY",
            "GITHUB_TOKEN",
            "accessToken",
            "apiKey",
            "STRIPE_API_KEY",
            "APP_KEY",
            "ENCRYPTION_KEY",
            "smtp.password",
            "GPG_PASSPHRASE",
            "TS_AUTHKEY",
            "RABBITMQ_ERLANG_COOKIE",
            "SERVER_TOKEN",
            "VERSION_TOKEN",
        ] {
            assert!(is_credential_name(name), "{name}");
        }
    }

    #[test]
    fn what_is_about_a_credential_is_none() {
        for name in [
            "POSTGRES_PASSWORD_FILE",
            "MYSQL_ALLOW_EMPTY_PASSWORD",
            "PASSWORD_MIN_LENGTH",
            "TOKEN_LIFETIME",
            "TOKEN_URL",
            "AWS_ACCESS_KEY_ID",
            "PUBLIC_KEY",
            "API_KEY_HEADER",
            "SECRET_NAME",
            "PWD",
            "OLDPWD",
            "HOME",
            "KEYBOARD",
            "MAX_TOKENS",
            "DATABASE_URL",
            "PASSENGER_COUNT",
            "PRIMARY_KEY",
            "COMPASS",
            "BYPASS",
            "ACCESS_TOKEN_EXPIRE_MINUTES",
            "SESSION_KEY_PREFIX",
            "SECRETS_BACKEND",
            "SESSION_COOKIE",
        ] {
            assert!(!is_credential_name(name), "{name}");
        }
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Sensitive::new("canary");
        assert!(!format!("{secret} {secret:?}").contains("canary"));
        assert_eq!(secret.reveal(), "canary");
    }
}
