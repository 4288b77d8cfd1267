//! Reads files into [`Sources`], within a limit.

use std::path::{Component, Path, PathBuf};

use crate::{FileError, FileId, Files, Problem, ProblemKind, Sources, Span};

/// The largest Compose or environment file that is read: real ones have kilobytes.
pub(crate) const MAX_FILE_BYTES: u64 = 8 << 20;

/// Reads files through the argument and keeps their text for showing places.
pub(crate) struct Reader<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) sources: Sources,
    /// Paths inside this folder are shown relative to it.
    pub(crate) base: PathBuf,
}

impl Reader<'_> {
    /// Reads a file; `from` is where it was named.
    pub(crate) fn read(&mut self, path: &Path, from: Option<Span>) -> Result<FileId, Problem> {
        let shown = path.strip_prefix(&self.base).unwrap_or(path).to_owned();
        if let Some((id, _)) = self.sources.find(&shown) {
            return Ok(id);
        }
        let bytes =
            self.files.read(path, MAX_FILE_BYTES).map_err(|error| unreadable(&shown, &error, from))?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(self.sources.add(shown, text)),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
                let message =
                    format!("`{}` is not UTF-8 text: line {line} has other bytes.", shown.display());
                let problem = Problem { span: from, ..Problem::nowhere(ProblemKind::Unreadable, message) };
                Err(problem.hint("save the file as UTF-8"))
            }
        }
    }

    /// The text of a file that was read.
    pub(crate) fn text(&self, id: FileId) -> &str {
        self.sources.get(id).map_or("", |source| &source.text)
    }
}

fn unreadable(path: &Path, error: &FileError, from: Option<Span>) -> Problem {
    let kind =
        if matches!(error, FileError::TooLarge(_)) { ProblemKind::Limit } else { ProblemKind::Unreadable };
    let message = format!("`{}` cannot be read: {error}.", path.display());
    let hint = match error {
        FileError::Missing => "check the path, or create the file",
        FileError::Denied => "give this user the right to read it",
        FileError::Folder => "name a file in it",
        FileError::TooLarge(_) => {
            "a Compose file of this size is not supported; check that it is the right file"
        }
        FileError::Other(_) => "check the path and the disk",
    };
    Problem { span: from, ..Problem::nowhere(kind, message) }.hint(hint)
}

/// `path` as seen from `folder`, with `.` and `..` taken out by their names alone.
pub(crate) fn absolute(folder: &Path, path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in folder.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}
