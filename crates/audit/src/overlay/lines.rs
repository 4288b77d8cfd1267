//! A text as lines that know where they begin and how deep they stand.

/// One line, without its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'text> {
    /// Where it begins, in bytes.
    pub(super) start: usize,
    /// Its text, without the line end.
    pub(super) text: &'text str,
    /// Leading spaces.
    pub(super) indent: usize,
}

impl Line<'_> {
    /// The text after the indentation.
    pub(super) fn content(&self) -> &str {
        &self.text[self.indent..]
    }

    /// Whether it holds neither key nor value.
    pub(super) fn is_idle(&self) -> bool {
        self.is_blank() || self.is_comment()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub(super) fn is_comment(&self) -> bool {
        self.content().starts_with('#')
    }

    /// Whether it begins an item of a list.
    pub(super) fn is_item(&self) -> bool {
        let content = self.content();
        content == "-" || content.starts_with("- ")
    }
}

/// A text taken apart into lines.
#[derive(Debug)]
pub(super) struct Lines<'text> {
    /// The whole text.
    pub(super) text: &'text str,
    /// Its lines.
    pub(super) all: Vec<Line<'text>>,
}

impl<'text> Lines<'text> {
    /// Takes a text apart; a byte-order mark belongs to no line.
    pub(super) fn new(text: &'text str) -> Self {
        let mut start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let mut all = Vec::new();
        for line in text[start..].split_inclusive('\n') {
            let bare = line.strip_suffix('\n').unwrap_or(line);
            let bare = bare.strip_suffix('\r').unwrap_or(bare);
            let indent = bare.len() - bare.trim_start_matches(' ').len();
            all.push(Line { start, text: bare, indent });
            start += line.len();
        }
        Self { text, all }
    }

    /// Where a line begins; the end of the text for the line after the last.
    pub(super) fn offset(&self, line: usize) -> usize {
        self.all.get(line).map_or(self.text.len(), |line| line.start)
    }

    /// How its lines end: as the first one does.
    pub(super) fn newline(&self) -> &'static str {
        let end = self.text.find('\n').unwrap_or(0);
        if self.text[..end].ends_with('\r') { "\r\n" } else { "\n" }
    }

    /// How much deeper a nested key stands: as the first nested line does, else 2.
    pub(super) fn step(&self) -> usize {
        let nested = self.all.iter().find(|line| line.indent > 0 && !line.is_idle() && !line.is_item());
        nested.map_or(2, |line| line.indent)
    }
}
