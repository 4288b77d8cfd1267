//! Builds trees from parser events, expanding aliases within limits.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, ScalarStyle as Style, StructureStyle};

use crate::load::parse::{
    MAX_ALIAS_NODES, MAX_ALIAS_SHARE, MAX_DEPTH, MAX_EXPANDED_BYTES, merge_key, position,
};
use crate::load::report::Report;
use crate::load::scalar::{self, Type, type_of};
use crate::{Entry, FileId, Node, Problem, ProblemKind, Scalar, ScalarStyle, Span, Spanned, Tag, Value};

/// Up to so many keys it is quicker to search than to remember them.
const SEARCHED: usize = 24;

/// Takes events one by one and holds the documents that are complete.
pub(super) struct Builder<'a> {
    file: FileId,
    pub(super) report: &'a mut Report,
    pub(super) documents: Vec<Node>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Anchor>,
    max_nodes: usize,
    nodes: usize,
    /// How many of them aliases stand for.
    from_aliases: usize,
    bytes: usize,
}

/// A collection that is not complete yet.
struct Frame {
    node: Node,
    anchor: usize,
    flow: bool,
    /// The deepest child so far, this collection not counted.
    depth: usize,
    key: Option<Spanned<String>>,
    /// The places of merge keys (`<<` without quotes).
    merges: Vec<Span>,
    /// The keys so far, where they are many, to find one that stands twice without walking a long map each time.
    keys: HashMap<String, Span>,
}

/// What an alias expands to.
struct Anchor {
    node: Node,
    depth: usize,
    nodes: usize,
    bytes: usize,
    /// Whether a `!reset` stands inside.
    resets: bool,
}

impl<'a> Builder<'a> {
    pub(super) fn new(file: FileId, max_nodes: usize, report: &'a mut Report) -> Self {
        let (documents, stack, anchors) = (Vec::new(), Vec::new(), HashMap::new());
        Self { file, report, documents, stack, anchors, max_nodes, nodes: 0, from_aliases: 0, bytes: 0 }
    }

    /// Takes one event; `false` when nothing more can be made of the file.
    pub(super) fn event(&mut self, event: Event<'_>, span: &granit_parser::Span) -> bool {
        let place = Span { file: self.file, start: position(&span.start), end: position(&span.end) };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = scalar(text, style, tag.as_deref(), place);
                self.finished(node, anchor, 0, place)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.open(Value::Sequence(Vec::new()), style, anchor, tag.as_deref(), place)
            }
            Event::MappingStart(style, anchor, tag) => {
                self.open(Value::Mapping(Vec::new()), style, anchor, tag.as_deref(), place)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(place),
            Event::Alias(id) => self.alias(id, place),
            Event::DocumentStart(..) => {
                self.anchors.clear();
                true
            }
            _ => true,
        }
    }

    fn open(
        &mut self,
        value: Value,
        style: StructureStyle,
        anchor: usize,
        tag: Option<&granit_parser::Tag>,
        place: Span,
    ) -> bool {
        let node = Node { value, span: place, tag: compose_tag(tag), history: Vec::new() };
        self.stack.push(Frame {
            node,
            anchor,
            flow: style == StructureStyle::Flow,
            depth: 0,
            key: None,
            merges: Vec::new(),
            keys: HashMap::new(),
        });
        true
    }

    fn close(&mut self, place: Span) -> bool {
        let Some(mut frame) = self.stack.pop() else { return true };
        let last = match &frame.node.value {
            Value::Sequence(items) => items.last().map(|item| item.span.end),
            Value::Mapping(entries) => {
                entries.last().map(|entry| entry.node.span.end.max(entry.key.span.end))
            }
            _ => None,
        };
        frame.node.span.end =
            if frame.flow { place.end } else { last.unwrap_or(place.start) }.max(frame.node.span.start);
        match &mut frame.node.value {
            Value::Mapping(entries) => {
                merge_key::apply(entries, &frame.merges, self.report);
                entries.shrink_to_fit();
            }
            Value::Sequence(items) => items.shrink_to_fit(),
            _ => {}
        }
        let depth = frame.depth + 1;
        self.finished(frame.node, frame.anchor, depth, place)
    }

    fn alias(&mut self, id: usize, place: Span) -> bool {
        let Some(anchor) = self.anchors.get(&id) else {
            let message = "This alias stands inside its own anchor, so it would never end.";
            self.report.at(ProblemKind::Cycle, place, message);
            return false;
        };
        let (mut node, depth) = (anchor.node.clone(), anchor.depth);
        // As in Compose, a `!reset` inside what an anchor names counts where it is written, and not where it is used.
        if anchor.resets {
            drop_resets(&mut node);
        }
        self.nodes += anchor.nodes;
        self.from_aliases += anchor.nodes;
        self.bytes += anchor.bytes;
        self.finished(node, 0, depth, place)
    }

    /// Puts a complete node where it belongs.
    fn finished(&mut self, node: Node, anchor: usize, depth: usize, place: Span) -> bool {
        self.nodes += 1;
        self.bytes += node.text().map_or(0, str::len);
        if !self.within_limits(depth, place) {
            return false;
        }
        if anchor != 0 {
            let Weight { nodes, bytes, resets } = weigh(&node);
            self.anchors.insert(anchor, Anchor { node: node.clone(), depth, nodes, bytes, resets });
        }
        let Some(frame) = self.stack.last_mut() else {
            self.documents.push(node);
            return true;
        };
        frame.depth = frame.depth.max(depth);
        match &mut frame.node.value {
            Value::Sequence(items) => items.push(node),
            Value::Mapping(entries) => match frame.key.take() {
                None => return self.key(node),
                Some(key) => insert(entries, &mut frame.keys, key, node, self.report),
            },
            _ => {}
        }
        true
    }

    fn key(&mut self, node: Node) -> bool {
        let merges =
            matches!(&node.value, Value::Scalar(at) if at.style == ScalarStyle::Plain && at.text == "<<");
        let text = match node.value {
            Value::Scalar(scalar) => {
                if type_of(&scalar) != Type::Text {
                    self.report.problem(untexted(&scalar.text, node.span));
                }
                scalar.text
            }
            Value::Null => {
                self.report.problem(untexted("null", node.span));
                "null".to_owned()
            }
            Value::Sequence(_) | Value::Mapping(_) => {
                let problem = Problem::at(
                    ProblemKind::Dialect,
                    node.span,
                    "A list or map stands where a key must be.",
                )
                .hint(
                    "put the key in quotes; a template (`{{ … }}`) must be rendered before Compose reads it",
                );
                self.report.problem(problem);
                return false;
            }
        };
        if let Some(frame) = self.stack.last_mut() {
            frame.merges.extend(merges.then_some(node.span));
            frame.key = Some(Spanned::new(text, node.span));
        }
        true
    }

    fn within_limits(&mut self, depth: usize, place: Span) -> bool {
        let message = if self.nodes > self.max_nodes {
            format!(
                "With its aliases expanded the file has more than {} values (`MAX_NODES`).",
                self.max_nodes
            )
        } else if self.from_aliases > MAX_ALIAS_NODES.max((self.nodes - self.from_aliases) * MAX_ALIAS_SHARE)
        {
            format!(
                "The aliases of the file stand for more than {MAX_ALIAS_NODES} values (`MAX_ALIAS_NODES`)."
            )
        } else if self.bytes > MAX_EXPANDED_BYTES {
            format!(
                "With its aliases expanded the file has more than {MAX_EXPANDED_BYTES} bytes (`MAX_EXPANDED_BYTES`)."
            )
        } else if self.stack.len() + depth > MAX_DEPTH {
            format!("With its aliases expanded the file nests deeper than {MAX_DEPTH} levels (`MAX_DEPTH`).")
        } else {
            return true;
        };
        self.report.problem(
            Problem::at(ProblemKind::Limit, place, message).hint("split the file, or nest fewer aliases"),
        );
        false
    }
}

/// The problem of a key that YAML takes for something else than a text.
fn untexted(key: &str, span: Span) -> Problem {
    let message = format!("A key must be a text, and YAML takes `{key}` for something else.");
    Problem::at(ProblemKind::WrongType, span, message).hint(format!("put it in quotes: `\"{key}\"`"))
}

fn scalar(text: Cow<'_, str>, style: Style, tag: Option<&granit_parser::Tag>, span: Span) -> Node {
    let plain = style == Style::Plain;
    let core = tag.filter(|tag| tag.handle() == "tag:yaml.org,2002:").map(|tag| tag.suffix());
    let null = match core {
        Some("str" | "binary") => false,
        Some("null") => true,
        _ => plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL"),
    };
    let (text, style) = match core {
        Some("binary") => (decoded(&text).unwrap_or_else(|| text.into_owned()), ScalarStyle::Quoted),
        Some("str") => (text.into_owned(), ScalarStyle::Quoted),
        Some("float") => (fraction(&text), ScalarStyle::Plain),
        // A tag of Compose or one that nobody knows makes a text of a number.
        None if tag.is_some() => (text.into_owned(), ScalarStyle::Quoted),
        Some("int" | "bool" | "timestamp") => (text.into_owned(), ScalarStyle::Plain),
        _ if plain => (text.into_owned(), ScalarStyle::Plain),
        _ => (text.into_owned(), ScalarStyle::Quoted),
    };
    let value = if null { Value::Null } else { Value::Scalar(Scalar { text, style }) };
    Node { value, span, tag: compose_tag(tag), history: Vec::new() }
}

/// A whole number that its tag makes one with a fraction.
fn fraction(text: &str) -> String {
    if scalar::integer(text).is_some() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{text}.0")
    } else {
        text.to_owned()
    }
}

/// The text in base 64 (RFC 4648, section 4), with white space anywhere; `None` when it is none.
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0u32);
    for c in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    String::from_utf8(bytes).ok()
}

fn compose_tag(tag: Option<&granit_parser::Tag>) -> Option<Tag> {
    let tag = tag.filter(|tag| tag.handle() == "!")?;
    match tag.suffix() {
        "reset" => Some(Tag::Reset),
        "override" => Some(Tag::Override),
        _ => None,
    }
}

fn insert(
    entries: &mut Vec<Entry>,
    keys: &mut HashMap<String, Span>,
    key: Spanned<String>,
    mut node: Node,
    report: &mut Report,
) {
    if node.is_null() && node.span.start == node.span.end {
        // Nothing was written: the place of nothing is that of its key.
        node.span = key.span;
    }
    if entries.len() == SEARCHED {
        keys.extend(entries.iter().map(|entry| (entry.key.value.clone(), entry.key.span)));
    }
    let first = if entries.len() < SEARCHED {
        entries.iter().find(|entry| entry.key.value == key.value).map(|entry| entry.key.span)
    } else {
        keys.insert(key.value.clone(), key.span)
    };
    if let Some(first) = first {
        let message = format!("The key `{}` stands twice in one map.", key.value);
        report.problem(
            Problem::at(ProblemKind::DuplicateKey, key.span, message)
                .related(first, "first written here")
                .hint("keep one of the two"),
        );
        return;
    }
    entries.push(Entry { key, node });
}

/// What a tree weighs.
#[derive(Default)]
struct Weight {
    nodes: usize,
    /// The bytes of its scalars.
    bytes: usize,
    /// Whether a `!reset` stands below it.
    resets: bool,
}

fn weigh(node: &Node) -> Weight {
    let mut weight = Weight { nodes: 1, bytes: node.text().map_or(0, str::len), resets: false };
    let mut add = |child: &Node| {
        let inner = weigh(child);
        weight.nodes += inner.nodes;
        weight.bytes += inner.bytes;
        weight.resets |= inner.resets || child.tag == Some(Tag::Reset);
    };
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(add),
        Value::Mapping(entries) => entries.iter().for_each(|entry| add(&entry.node)),
        _ => {}
    }
    weight
}

fn drop_resets(node: &mut Node) {
    let reset = |node: &Node| node.tag == Some(Tag::Reset);
    match &mut node.value {
        Value::Sequence(items) => {
            items.retain(|item| !reset(item));
            items.iter_mut().for_each(drop_resets);
        }
        Value::Mapping(entries) => {
            entries.retain(|entry| !reset(&entry.node));
            entries.iter_mut().for_each(|entry| drop_resets(&mut entry.node));
        }
        _ => {}
    }
}
