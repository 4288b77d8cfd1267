//! Files of variables, line by line: what rules may ask about them.

use seaworthy_project::{FileId, Position, Project, Span};

/// A file of variables.
#[derive(Debug)]
pub(crate) struct EnvironmentFile<'project> {
    /// Its path as the user would name it.
    pub(crate) name: String,
    pub(crate) id: FileId,
    /// Its whole text.
    pub(crate) text: &'project str,
    /// What it is for.
    pub(crate) role: Role,
    pub(crate) variables: Vec<Variable<'project>>,
    /// Lines that set nothing and are no comment, and why.
    pub(crate) faults: Vec<(Span, String)>,
}

/// What a file of variables is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The project is loaded with it.
    Used,
    /// It shows which variables there are.
    Example,
    /// It belongs to something else, such as another environment.
    Other,
}

/// One `NAME=value`.
#[derive(Debug)]
pub(crate) struct Variable<'project> {
    pub(crate) name: &'project str,
    pub(crate) name_span: Span,
    /// Behind the `=`, as written, over several lines where a quote goes on.
    pub(crate) raw: &'project str,
    /// Without quotes. May be secret.
    pub(crate) value: &'project str,
    pub(crate) quote: Option<char>,
    pub(crate) is_exported: bool,
    /// Whether blanks stand around the `=`.
    pub(crate) has_blanks: bool,
}

/// The files of variables of a project's folder.
pub(crate) fn environment_files(project: &Project) -> Vec<EnvironmentFile<'_>> {
    let file = |id: &FileId| {
        let source = project.sources.get(*id)?;
        let name = source.path.display().to_string();
        let role = if is_example(&name) {
            Role::Example
        } else if project.beside.used.contains(id) {
            Role::Used
        } else {
            Role::Other
        };
        let mut file = EnvironmentFile {
            name,
            id: *id,
            text: &source.text,
            role,
            variables: Vec::new(),
            faults: Vec::new(),
        };
        file.read();
        Some(file)
    };
    project.beside.environment.iter().filter_map(file).collect()
}

/// Whether a file only shows which variables there are.
pub(crate) fn is_example(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["example", "sample", "dist", "template", "tpl", "default", "defaults"]
        .iter()
        .any(|word| lower.split(['.', '-', '_']).any(|part| part == *word))
}

impl<'project> EnvironmentFile<'project> {
    /// Its first character.
    pub(crate) fn start(&self) -> Span {
        let start = Position { byte: 0, line: 1, column: 1 };
        Span { file: self.id, start, end: start }
    }

    fn read(&mut self) {
        let text = self.text;
        let mut at = text.len() - text.trim_start_matches('\u{feff}').len();
        let mut line_number = 1;
        while at < text.len() {
            let line = text[at..].split('\n').next().unwrap_or_default();
            let taken = self.line(at, line.trim_end_matches('\r'), line_number).max(line.len() + 1);
            let end = (at + taken).min(text.len());
            line_number += text[at..end].matches('\n').count() as u32;
            at = end;
        }
    }

    /// Reads one line; gives how many bytes belong to it, its end included.
    fn line(&mut self, at: usize, line: &'project str, number: u32) -> usize {
        let blanks = line.len() - line.trim_start().len();
        let bare = line.trim_start();
        if bare.is_empty() || bare.starts_with('#') {
            return 0;
        }
        let place = |from: usize, to: usize| {
            let position = |byte: usize| Position {
                byte,
                line: number,
                column: self.text[at..byte].chars().count() as u32 + 1,
            };
            Span { file: self.id, start: position(from), end: position(to) }
        };
        let exported = bare.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
        let start = at + blanks + exported.map_or(0, |rest| bare.len() - rest.trim_start().len());
        let rest = &line[start - at..];
        let Some(equals) = rest.find('=') else {
            let length = rest.find(|c: char| !is_name_character(c)).unwrap_or(rest.len());
            if length < rest.trim_end().len() || length == 0 {
                let shown = length.max(rest.chars().next().map_or(0, char::len_utf8));
                self.faults.push((place(start, start + shown), "There is no `=` in this line.".to_owned()));
            }
            return 0;
        };
        let name = rest[..equals].trim_end();
        let odd = name.chars().find(|c| !is_name_character(*c));
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || odd.is_some() {
            let message = match odd {
                Some(odd) => format!("The character `{odd}` cannot stand in a variable's name."),
                None => "A variable's name begins with a letter or `_`.".to_owned(),
            };
            self.faults.push((place(start, start + name.len().max(1)), message));
            return 0;
        }
        let behind = &rest[equals + 1..];
        let value_start = start + equals + 1 + (behind.len() - behind.trim_start().len());
        let has_blanks = name.len() < equals || behind.starts_with([' ', '\t']);
        let name_span = place(start, start + name.len());
        let open = self.text[value_start.min(self.text.len())..].chars().next();
        let quote = open.filter(|c| matches!(c, '"' | '\'') && !behind.trim().is_empty());
        let (raw, value) = match quote {
            Some(quote) => match closing(&self.text[value_start + 1..], quote) {
                Some(length) => {
                    let raw = &self.text[value_start..value_start + length + 2];
                    (raw, &raw[1..length + 1])
                }
                None => {
                    let span = place(value_start, value_start + 1);
                    self.faults.push((span, "This quote is never closed.".to_owned()));
                    return 0;
                }
            },
            None => {
                let raw = behind.trim();
                (raw, raw.split(" #").next().unwrap_or_default().trim_end())
            }
        };
        let is_exported = exported.is_some();
        self.variables.push(Variable { name, name_span, raw, value, quote, is_exported, has_blanks });
        let end = value_start + raw.len();
        self.text[at..end].len() + self.text[end..].find('\n').map_or(0, |rest| rest + 1)
    }
}

fn is_name_character(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-')
}

fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped && quote == '"';
        ends.then_some(at)
    })
}
