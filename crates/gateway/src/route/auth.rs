//! Who may ask with a name and a password, as it is told and kept in the snapshot.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bcrypt::{HashParts, Version};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most users of a route.
const MOST_USERS: usize = 10_000;
/// How much work a hash may be: beyond this, each try would take seconds.
const COSTS: std::ops::RangeInclusive<u32> = 4..=14;
/// The longest name.
const LONGEST_NAME: usize = 255;
/// Bytes of a password that bcrypt looks at, of which one ends it.
const LONGEST_PASSWORD: usize = 71;

/// Basic authentication (RFC 7617).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// What browsers say that the password is for.
    pub realm: String,
    /// Who may pass.
    pub users: Users,
}

/// Names, and the bcrypt hashes of their passwords, which never show themselves.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Users(BTreeMap<String, String>);

/// Why users cannot be taken. What was written is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UsersError {
    /// There is nobody.
    #[error("there is no user in it")]
    Nobody,
    /// There are too many.
    #[error("there are more than {MOST_USERS} users in it")]
    Many,
    /// A line is not as it should be.
    #[error("line {line} {what}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Why there is no line for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LineError {
    /// The name cannot be used.
    #[error("the user {0}")]
    Name(&'static str),
    /// There is no password.
    #[error("the password is empty")]
    Empty,
    /// What follows would not count.
    #[error("the password is longer than {LONGEST_PASSWORD} bytes, and bcrypt would not look at the rest")]
    Long,
    /// What follows would not count, either.
    #[error("the password has a NUL in it, behind which nothing would count")]
    Nul,
    /// It cannot be computed.
    #[error("no hash of it could be made")]
    Hash,
}

impl Users {
    /// The line of a user: `name:hash`. More work by one in the cost is twice as much for whoever tries passwords, and for
    /// the gateway at each one.
    ///
    /// # Errors
    /// When the name or the password cannot be used as it is.
    pub fn line(name: &str, password: &[u8], cost: u32) -> Result<String, LineError> {
        if !is_name(name) {
            return Err(LineError::Name(UNFIT_NAME));
        }
        match password {
            [] => return Err(LineError::Empty),
            _ if password.len() > LONGEST_PASSWORD => return Err(LineError::Long),
            _ if password.contains(&0) => return Err(LineError::Nul),
            _ => {}
        }
        let hash = bcrypt::hash_with_result(password, cost).map_err(|_| LineError::Hash)?;
        Ok(format!("{name}:{}", hash.format_for_version(Version::TwoY)))
    }

    /// Reads lines of `name:hash`, as `htpasswd -B` writes them. Lines that are empty or begin with `#` say nothing.
    ///
    /// # Errors
    /// What is wrong with the first line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, UsersError> {
        let mut users = BTreeMap::new();
        // Some editors begin a file with a mark that nobody sees.
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |what| UsersError::Line { line: index + 1, what };
            let (name, hash) = line.split_once(':').ok_or_else(|| wrong("is not `name:hash`"))?;
            wrong_user(name, hash).map_or(Ok(()), |what| Err(wrong(what)))?;
            if users.insert(name.to_owned(), hash.to_owned()).is_some() {
                return Err(wrong("names a user for the second time"));
            }
            if users.len() > MOST_USERS {
                return Err(UsersError::Many);
            }
        }
        if users.is_empty() { Err(UsersError::Nobody) } else { Ok(Self(users)) }
    }

    /// The hash of a user's password.
    pub(crate) fn hash(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Any user's hash: what an unknown name is held against, so that it takes as long.
    pub(crate) fn any(&self) -> Option<&str> {
        self.0.values().next().map(String::as_str)
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} users]", self.0.len())
    }
}

impl Auth {
    pub(super) fn contradiction(&self) -> Option<String> {
        let users = &self.users.0;
        if users.is_empty() || users.len() > MOST_USERS {
            return Some(format!("it has {} users", users.len()));
        }
        if !is_realm(&self.realm) {
            return Some("what its password is for cannot be said in a header".to_owned());
        }
        let mut wrong = users.iter().filter_map(|(name, hash)| wrong_user(name, hash));
        wrong.next().map(|what| format!("a user of it {what}"))
    }
}

/// Whether it can stand between quotes in a header.
pub fn is_realm(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (0x20..0x7f).contains(&byte) && !matches!(byte, b'"' | b'\\'))
}

const UNFIT_NAME: &str = "has no name that can be sent";

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && !name.chars().any(char::is_control)
        && !name.contains(':')
        && !name.starts_with('#')
        && name.trim() == name
}

fn wrong_user(name: &str, hash: &str) -> Option<&'static str> {
    if !is_name(name) {
        return Some(UNFIT_NAME);
    }
    let known = ["$2a$", "$2b$", "$2y$"].iter().any(|begin| hash.starts_with(begin)) && hash.len() == 60;
    match HashParts::from_str(hash) {
        Ok(parts) if known && COSTS.contains(&parts.get_cost()) => None,
        Ok(_) if known => Some("has a hash that costs less than 4 or more than 14"),
        _ => Some("has no bcrypt hash, such as `$2y$10$…`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2y$12$L6Bc/AlTQHyd9liGgGEZyOFLPHNgyxeEPfgYfBCVxJ7JIlwxyVU3u";

    #[test]
    fn a_line_that_is_made_can_be_read_and_its_password_is_right() {
        let line = Users::line("ann", b"open sesame", 4).unwrap();
        let users = Users::parse(&line).unwrap();
        let hash = users.hash("ann").unwrap();
        assert!(hash.starts_with("$2y$04$"), "{hash}");
        assert_eq!(bcrypt::verify("open sesame", hash).ok(), Some(true));
        assert_eq!(bcrypt::verify("open sesam", hash).ok(), Some(false));
        for (name, password, error) in [
            ("", "a", LineError::Name(UNFIT_NAME)),
            ("a:b", "a", LineError::Name(UNFIT_NAME)),
            ("#ann", "a", LineError::Name(UNFIT_NAME)),
            (" ann", "a", LineError::Name(UNFIT_NAME)),
            ("ann", "", LineError::Empty),
            ("ann", "a\0b", LineError::Nul),
            ("ann", &"a".repeat(72), LineError::Long),
        ] {
            assert_eq!(Users::line(name, password.as_bytes(), 4), Err(error), "{name} {password}");
        }
        assert!(Users::line("ann", "a".repeat(71).as_bytes(), 4).is_ok());
    }

    #[test]
    fn lines_of_names_and_hashes() {
        let marked = Users::parse(&format!("\u{feff}ann:{HASH}\n")).unwrap();
        assert_eq!(marked.hash("ann"), Some(HASH), "a mark that nobody sees is no part of a name");
        let users = Users::parse(&format!("# ours\n\nann:{HASH}\r\nbob:{HASH}\n")).unwrap();
        assert_eq!((users.hash("ann"), users.hash("eve"), users.any()), (Some(HASH), None, Some(HASH)));
        assert_eq!(format!("{users:?}"), "[2 users]");
        for (text, error) in [
            ("", "there is no user in it".to_owned()),
            ("ann", "line 1 is not `name:hash`".to_owned()),
            ("\nann:secret", "line 2 has no bcrypt hash, such as `$2y$10$…`".to_owned()),
            (&format!(":{HASH}"), "line 1 has no name that can be sent".to_owned()),
            (&format!("a:{HASH}\na:{HASH}"), "line 2 names a user for the second time".to_owned()),
            (
                &format!("a:{}", HASH.replace("$12$", "$15$")),
                "line 1 has a hash that costs less than 4 or more than 14".to_owned(),
            ),
        ] {
            assert_eq!(Users::parse(text).unwrap_err().to_string(), error);
        }
    }
}
