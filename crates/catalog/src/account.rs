//! Who may come in: the accounts that an image makes from its variables at the first start.

use serde::Deserialize;

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Variables with the user's name; the first that is given counts.
    #[serde(default)]
    pub user: Vec<String>,
    /// The user's name when none of them is given; without it there is no such account then.
    pub name: Option<String>,
    /// Variables with the password; the first that is given counts.
    pub password: Vec<String>,
}

/// The database that an image makes at the first start.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Variables with its name; the first that is given counts.
    pub variables: Vec<String>,
    /// Databases that are there in any case.
    #[serde(default)]
    pub always: Vec<String>,
    /// Whether it is called as the user when no variable names it.
    #[serde(default)]
    pub named_as_user: bool,
}
