//! What is wrong with a configuration, all of it in one message and no value in it.

use std::error::Error;
use std::fmt::{self, Display};

use super::source::Unreadable;

/// Everything that is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    /// What is wrong, in the order in which the settings were declared; never empty.
    pub problems: Vec<ConfigProblem>,
}

/// What is wrong with one setting.
#[derive(Debug)]
pub struct ConfigProblem {
    /// The name of the setting.
    pub setting: &'static str,
    /// What the setting is for.
    pub about: &'static str,
    /// Whether its value is a secret.
    pub secret: bool,
    /// What is wrong.
    pub fault: Fault,
}

/// What can be wrong with a setting.
#[derive(Debug)]
pub enum Fault {
    /// It is required and not set.
    Missing,
    /// Both the variable and the one that names a file are set.
    Both,
    /// A variable could not be read.
    Variable {
        /// Why.
        cause: Unreadable,
    },
    /// The file could not be read.
    File {
        /// The file that the variable names.
        path: String,
        /// Why.
        cause: Unreadable,
    },
    /// The file has nothing in it.
    EmptyFile {
        /// The file that the variable names.
        path: String,
    },
    /// It has not the shape it must have.
    Malformed {
        /// What it must be.
        expected: String,
    },
    /// It is a well-known placeholder.
    Placeholder,
    /// It is too short.
    TooShort {
        /// The least number of characters.
        minimum: usize,
    },
    /// It is one character, repeated.
    OneCharacter,
}

impl Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => write!(f, "the configuration has 1 problem:")?,
            count => write!(f, "the configuration has {count} problems:")?,
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

impl Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, about, secret, fault } = self;
        write!(f, "`{setting}` ({about}) ")?;
        match fault {
            Fault::Missing => {
                write!(f, "is missing; set it, or name a file that holds it in `{setting}_FILE`.")
            }
            Fault::Both => write!(f, "is set twice; keep either `{setting}` or `{setting}_FILE`."),
            Fault::Variable { cause } => {
                write!(f, "or `{setting}_FILE` {}; write it anew.", with_cause(cause))
            }
            Fault::File { path, cause } => {
                write!(
                    f,
                    "is in `{path}`, which {}; correct `{setting}_FILE` or the file.",
                    with_cause(cause)
                )
            }
            Fault::EmptyFile { path } => {
                write!(f, "is in `{path}`, which is empty; write the value into it.")
            }
            Fault::Malformed { expected } => write!(f, "must be {expected}; correct it."),
            Fault::Placeholder => write!(f, "is a well-known placeholder; {}.", remedy(*secret)),
            Fault::TooShort { minimum } => {
                write!(f, "is shorter than {minimum} characters; {}.", remedy(*secret))
            }
            Fault::OneCharacter => write!(f, "is one character repeated; {}.", remedy(*secret)),
        }
    }
}

fn with_cause(cause: &Unreadable) -> String {
    cause.source().map_or_else(|| cause.to_string(), |source| format!("{cause} ({source})"))
}

fn remedy(secret: bool) -> &'static str {
    if secret { "make one of your own, for example with `openssl rand -hex 32`" } else { "choose another" }
}
