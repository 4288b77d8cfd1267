//! The variables a project is loaded with, and where each was written.

use indexmap::IndexMap;

use crate::Span;

/// One variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) value: String,
    /// `None` when it comes from the shell.
    pub(crate) span: Option<Span>,
}

/// Variables by name. What was there first wins, so the shell is put in first.
#[derive(Clone, Default)]
pub(crate) struct Variables {
    map: IndexMap<String, Variable>,
}

impl Variables {
    /// The variables of the shell.
    pub(crate) fn from_shell(shell: &IndexMap<String, String>) -> Self {
        let variable = |value: &String| Variable { value: value.clone(), span: None };
        Self { map: shell.iter().map(|(name, value)| (name.clone(), variable(value))).collect() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Variable> {
        self.map.get(name)
    }

    /// The value, for filling in.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.map.get(name).map(|variable| variable.value.clone())
    }

    /// The value unless it is empty: an empty `COMPOSE_…` variable counts as absent.
    pub(crate) fn setting(&self, name: &str) -> Option<&Variable> {
        self.map.get(name).filter(|variable| !variable.value.is_empty())
    }

    /// Adds what is not set yet.
    pub(crate) fn fill(&mut self, more: impl IntoIterator<Item = (String, Variable)>) {
        for (name, variable) in more {
            self.map.entry(name).or_insert(variable);
        }
    }

    /// Sets a variable, whatever was there.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.map.insert(name.to_owned(), Variable { value: value.to_owned(), span: None });
    }

    /// All values by name.
    pub(crate) fn values(&self) -> IndexMap<String, String> {
        self.map.iter().map(|(name, variable)| (name.clone(), variable.value.clone())).collect()
    }
}
