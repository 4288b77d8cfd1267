//! What one setting must be like.

use std::fmt;
use std::ops::RangeInclusive;

use super::{ConfigProblem, Fault, Value};
use crate::Secret;

/// What people write where a secret belongs, compared without regard to case.
const PLACEHOLDERS: [&str; 14] = [
    "change-me",
    "changeme",
    "change_me",
    "changethis",
    "replace-me",
    "replaceme",
    "secret",
    "password",
    "passw0rd",
    "admin",
    "default",
    "example",
    "test",
    "token",
];

type Matcher = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// One setting: its name, what it is for, and what is demanded of it.
pub struct Setting {
    name: &'static str,
    about: &'static str,
    need: Need,
    secret: bool,
    min_length: usize,
    refused: Vec<String>,
    shape: Option<(String, Matcher)>,
}

/// What happens when a setting is not set.
pub(super) enum Need {
    Required,
    Optional,
    Default(String),
}

impl Setting {
    /// A setting without which the program cannot run. `about` says in a few words what it is for.
    pub fn required(name: &'static str, about: &'static str) -> Self {
        Self::new(name, about, Need::Required)
    }

    /// A setting that may be absent.
    pub fn optional(name: &'static str, about: &'static str) -> Self {
        Self::new(name, about, Need::Optional)
    }

    /// A setting that is `default` when it is absent.
    pub fn with_default(name: &'static str, default: impl Into<String>, about: &'static str) -> Self {
        Self::new(name, about, Need::Default(default.into()))
    }

    /// A required setting whose value is a secret. Well-known placeholders are refused.
    pub fn secret(name: &'static str, about: &'static str) -> Self {
        Self { secret: true, ..Self::new(name, about, Need::Required) }
    }

    /// Refuses values of fewer characters.
    pub fn min_length(self, characters: usize) -> Self {
        Self { min_length: characters, ..self }
    }

    /// Refuses these values, without regard to case, over and above the well-known placeholders.
    pub fn refuse<T: Into<String>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        self.refused.extend(values.into_iter().map(|value| value.into().to_lowercase()));
        self
    }

    /// Demands a whole number in `range`.
    pub fn number(self, range: RangeInclusive<u64>) -> Self {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.matching(expected, move |text| text.parse().is_ok_and(|number| range.contains(&number)))
    }

    /// Demands that `matches` says yes; `expected` ends the sentence "it must be …".
    pub fn matching(
        self,
        expected: impl Into<String>,
        matches: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { shape: Some((expected.into(), Box::new(matches))), ..self }
    }

    fn new(name: &'static str, about: &'static str, need: Need) -> Self {
        Self { name, about, need, secret: false, min_length: 0, refused: Vec::new(), shape: None }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn need(&self) -> &Need {
        &self.need
    }

    pub(super) fn problem(&self, fault: Fault) -> ConfigProblem {
        ConfigProblem { setting: self.name, about: self.about, secret: self.secret, fault }
    }

    pub(super) fn wrap(&self, text: String) -> Value {
        if self.secret { Value::Secret(Secret::new(text)) } else { Value::Text(text) }
    }

    /// What makes `text` unusable.
    pub(super) fn malformed(&self, text: &str) -> Option<Fault> {
        let (expected, matches) = self.shape.as_ref()?;
        (!matches(text)).then(|| Fault::Malformed { expected: expected.clone() })
    }

    /// What makes `text` unsafe in production, though it could be used.
    pub(super) fn weakness(&self, text: &str) -> Option<Fault> {
        let lower = text.to_lowercase();
        let placeholder = self.secret && PLACEHOLDERS.contains(&lower.as_str());
        let mut characters = text.chars();
        let first = characters.next();
        if placeholder || self.refused.contains(&lower) {
            Some(Fault::Placeholder)
        } else if text.chars().count() < self.min_length {
            Some(Fault::TooShort { minimum: self.min_length })
        } else if self.secret && characters.all(|character| Some(character) == first) {
            Some(Fault::OneCharacter)
        } else {
            None
        }
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting")
            .field("name", &self.name)
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}
