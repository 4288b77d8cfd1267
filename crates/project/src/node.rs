//! A YAML tree in which every node knows where it was written.

use crate::write::without_credentials;
use crate::{Span, Spanned};

/// A node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What stands there.
    pub value: Value,
    /// Where the value that won was written.
    pub span: Span,
    /// `!reset` or `!override`, until merging has used it up.
    pub tag: Option<Tag>,
    /// What else had a say, oldest first.
    pub history: Vec<Say>,
}

/// What had a say in a value beside the place where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// Another place that said something for the same key: it lost, or what it said became a part.
    Written(Span),
    /// A variable that filled the text.
    Variable {
        /// Its name.
        name: String,
        /// Where it was written; `None` when it comes from the shell.
        place: Option<Span>,
    },
    /// A variable that the text names and that is not set: its default counts, or nothing.
    Unset(String),
    /// Nobody wrote it: the Compose Specification implies it for what stands at this place.
    Implied,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// Any other scalar, kept as text: its type depends on the key it stands under.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// A map, in the order written.
    Mapping(Vec<Entry>),
}

/// A scalar as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text, quotes and escapes resolved, variables filled in.
    pub text: String,
    /// How it was written.
    pub style: ScalarStyle,
}

/// How a scalar was written; only plain ones can be numbers, booleans or null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarStyle {
    /// Without quotes.
    Plain,
    /// In quotes, or as a block.
    Quoted,
}

/// A tag of the Compose Specification, section "Merge".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// `!reset`: drop what the files before said.
    Reset,
    /// `!override`: replace what the files before said, do not merge.
    Override,
}

/// One entry of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Spanned<String>,
    /// What stands under it.
    pub node: Node,
}

impl Node {
    /// A node without tag or history.
    pub fn new(value: Value, span: Span) -> Self {
        Self { value, span, tag: None, history: Vec::new() }
    }

    /// A scalar node that stands for `text`, quoted so that it stays a string.
    pub fn string(text: impl Into<String>, span: Span) -> Self {
        Self::new(Value::Scalar(Scalar { text: text.into(), style: ScalarStyle::Quoted }), span)
    }

    /// What stands under `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The entry with that key, if this is a map that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key.value == key)
    }

    /// What stands at the end of a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The entries of a map; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// Whether nothing stands there.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }
}

impl Node {
    /// The entries of a map, to change.
    pub(crate) fn entries_mut(&mut self) -> Option<&mut Vec<Entry>> {
        match &mut self.value {
            Value::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// What stands under `key`, to change.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let entry = self.entries_mut()?.iter_mut().find(|entry| entry.key.value == key)?;
        Some(&mut entry.node)
    }

    /// Puts `node` under `key`, in place of what stands there; nothing happens when this is no map.
    pub(crate) fn set(&mut self, key: &str, node: Node) {
        let span = node.span;
        match self.get_mut(key) {
            Some(old) => *old = node,
            None => {
                if let Some(entries) = self.entries_mut() {
                    entries.push(Entry { key: Spanned::new(key.to_owned(), span), node });
                }
            }
        }
    }

    /// Takes out what stands under `key`.
    pub(crate) fn remove(&mut self, key: &str) -> Option<Entry> {
        let entries = self.entries_mut()?;
        let index = entries.iter().position(|entry| entry.key.value == key)?;
        Some(entries.remove(index))
    }

    /// A scalar for a message, in backticks, without credentials that stand in it; what a variable filled in may be secret, and is only said to be that.
    pub(crate) fn quoted(&self) -> String {
        let filled = self.history.iter().any(|say| matches!(say, Say::Variable { .. }));
        match self.text().filter(|_| !filled) {
            Some(text) => format!("`{}`", without_credentials(text)),
            None => "What is filled in here".to_owned(),
        }
    }

    /// Adds to the history. Most nodes have a history of one, for which no more room is kept.
    pub(crate) fn say(&mut self, say: Say) {
        if self.history.is_empty() {
            self.history.reserve_exact(1);
        }
        self.history.push(say);
    }

    /// Gives back the room that was kept for more, here and below.
    pub(crate) fn shrink(&mut self) {
        self.history.shrink_to_fit();
        match &mut self.value {
            Value::Sequence(items) => items.shrink_to_fit(),
            Value::Mapping(entries) => entries.shrink_to_fit(),
            _ => {}
        }
        self.children_mut().for_each(Self::shrink);
    }

    /// The same without the history, which is kept once.
    pub(crate) fn without_history(&self) -> Self {
        let value = match &self.value {
            Value::Null => Value::Null,
            Value::Scalar(scalar) => Value::Scalar(scalar.clone()),
            Value::Sequence(items) => Value::Sequence(items.iter().map(Self::without_history).collect()),
            Value::Mapping(entries) => Value::Mapping(
                entries
                    .iter()
                    .map(|entry| Entry { key: entry.key.clone(), node: entry.node.without_history() })
                    .collect(),
            ),
        };
        Self { value, span: self.span, tag: self.tag, history: Vec::new() }
    }

    /// A plain scalar: a number, a boolean.
    pub(crate) fn plain(text: impl Into<String>, span: Span) -> Self {
        Self::new(Value::Scalar(Scalar { text: text.into(), style: ScalarStyle::Plain }), span)
    }

    /// The children, keys left out, to change.
    pub(crate) fn children_mut(&mut self) -> Box<dyn Iterator<Item = &mut Node> + '_> {
        match &mut self.value {
            Value::Sequence(items) => Box::new(items.iter_mut()),
            Value::Mapping(entries) => Box::new(entries.iter_mut().map(|entry| &mut entry.node)),
            _ => Box::new(std::iter::empty()),
        }
    }
}
