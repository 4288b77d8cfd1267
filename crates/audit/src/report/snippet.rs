//! A message with its source line and a caret, credentials masked.

use std::collections::HashMap;
use std::path::Path;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use seaworthy_project::{FileId, Sources, Span};

use crate::redact::redact;

/// The widest line a report assumes; terminals cut the rest.
const WIDTH: usize = 140;

/// A place to mark: whether it is the place itself or explains it, and a label.
type Mark<'text> = (AnnotationKind, &'text Span, &'text str);

/// Files with their credentials masked, each masked once.
pub(super) struct Shown<'sources> {
    sources: &'sources Sources,
    masked: HashMap<FileId, String>,
}

/// One message to show.
pub(super) struct Message<'message> {
    pub(super) level: Level<'message>,
    pub(super) id: Option<&'message str>,
    pub(super) title: String,
    pub(super) span: Option<Span>,
    pub(super) related: &'message [(Span, String)],
    pub(super) footer: Vec<(Level<'message>, String)>,
}

impl<'sources> Shown<'sources> {
    pub(super) fn new(sources: &'sources Sources) -> Self {
        let masked = sources.iter().map(|(id, source)| (id, redact(&source.path, &source.text))).collect();
        Self { sources, masked }
    }

    /// The message as text, without a line end.
    pub(super) fn render(&self, message: &Message<'_>, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(WIDTH);
        let mut title = message.level.clone().primary_title(printable(&message.title));
        if let Some(id) = message.id {
            title = title.id(id);
        }
        let mut places: Vec<(FileId, Vec<Mark<'_>>)> = Vec::new();
        let primary = message.span.iter().map(|span| (AnnotationKind::Primary, span, ""));
        let related =
            message.related.iter().map(|(span, label)| (AnnotationKind::Context, span, label.as_str()));
        for place in primary.chain(related) {
            match places.iter_mut().find(|(file, _)| *file == place.1.file) {
                Some((_, group)) => group.push(place),
                None => places.push((place.1.file, vec![place])),
            }
        }
        let snippets: Vec<Snippet<'_, _>> =
            places.into_iter().filter_map(|(file, group)| self.snippet(file, &group)).collect();
        let footer = message.footer.iter().map(|(level, text)| level.clone().message(printable(text)));
        let group = title.elements(snippets).elements(footer);
        renderer.render(&[group])
    }

    fn snippet<'text>(
        &'text self,
        file: FileId,
        places: &[Mark<'text>],
    ) -> Option<Snippet<'text, annotate_snippets::Annotation<'text>>> {
        let text = self.masked.get(&file)?;
        let path = &self.sources.get(file)?.path;
        let annotations = places.iter().map(|(kind, span, label)| {
            let range = first_line(text, span);
            let annotation = kind.span(range);
            if label.is_empty() { annotation } else { annotation.label(*label) }
        });
        Some(Snippet::source(text.as_str()).path(shown_path(path)).annotations(annotations))
    }
}

/// The part of a place that stands on its first line: one caret line is enough to find it.
fn first_line(text: &str, span: &Span) -> std::ops::Range<usize> {
    let start = floor(text, span.start.byte.min(text.len()));
    let end = floor(text, span.end.byte.clamp(start, text.len()));
    let line_end = text[start..end].find('\n').map_or(end, |newline| start + newline);
    start..line_end
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn shown_path(path: &Path) -> String {
    printable(&path.display().to_string())
}

/// The text with control characters made visible, so that a name in a file cannot steer the terminal.
pub(super) fn printable(text: &str) -> String {
    let show =
        |c: char| if c.is_control() && c != '\n' { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(show).collect()
}
