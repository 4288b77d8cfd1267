//! Who may ask with a name and a password, as it is told and kept in the snapshot.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bcrypt::HashParts;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most users of a route.
const MOST_USERS: usize = 10_000;
/// How much work a hash may be: beyond this, each try would take seconds.
const COSTS: std::ops::RangeInclusive<u32> = 4..=14;
/// The longest name.
const LONGEST_NAME: usize = 255;

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

impl Users {
    /// Reads lines of `name:hash`, as `htpasswd -B` writes them. Lines that are empty or begin with `#` say nothing.
    ///
    /// # Errors
    /// What is wrong with the first line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, UsersError> {
        let mut users = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
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

fn wrong_user(name: &str, hash: &str) -> Option<&'static str> {
    if name.is_empty()
        || name.len() > LONGEST_NAME
        || name.chars().any(char::is_control)
        || name.contains(':')
    {
        return Some("has no name that can be sent");
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
    fn lines_of_names_and_hashes() {
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
