//! `docs`: reference pages come from the program itself, so that they cannot say anything else.

#![expect(clippy::disallowed_methods, reason = "generating pages is writing files")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::run::{self, RunError};
use crate::workspace::{Workspace, WorkspaceError};

/// Where the generated pages are.
pub const REFERENCE: &str = "docs/reference";
/// Writing a few pages takes no time; a program that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// Arguments of `docs`.
#[derive(Debug, Clone, clap::Args)]
pub struct DocsArguments {
    /// Changes nothing; fails when a page is not what the program says
    #[arg(long)]
    pub check: bool,
}

/// Why there are no pages.
#[derive(Debug, thiserror::Error)]
pub enum DocsError {
    /// The program could not be built.
    #[error("the pages come from the program, which could not be built.")]
    Build(#[source] WorkspaceError),
    /// The program could not be run.
    #[error("the pages could not be generated.")]
    Run(#[source] RunError),
    /// The program failed.
    #[error("`seaworthy reference` failed; its message is above.")]
    Failed,
    /// It wrote no page.
    #[error("`seaworthy reference` wrote no page.")]
    Empty,
    /// A page could not be read or written.
    #[error("`{}` could not be read or written.", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

/// Generates the pages, or compares them. `false` when a page is not what the program says.
///
/// # Errors
/// When the pages cannot be generated.
pub fn docs(
    workspace: &Workspace,
    arguments: &DocsArguments,
    output: &mut dyn Write,
) -> Result<bool, Box<dyn Error>> {
    let fresh = tempfile::tempdir()?;
    workspace.build(&["seaworthy"]).map_err(DocsError::Build)?;
    let (program, folder) = (workspace.program("seaworthy"), fresh.path().to_string_lossy().into_owned());
    let command = [&program.to_string_lossy(), "reference", folder.as_str()];
    if !run::run(workspace.root(), &command, LIMIT).map_err(DocsError::Run)?.status.success() {
        return Err(DocsError::Failed.into());
    }
    let said = pages(fresh.path())?;
    if said.is_empty() {
        return Err(DocsError::Empty.into());
    }
    let reference = workspace.root().join(REFERENCE);
    let differences = differences(&said, &pages(&reference)?);
    if arguments.check {
        for (page, difference) in &differences {
            writeln!(output, "{REFERENCE}/{page}: {difference}")?;
        }
        if !differences.is_empty() {
            writeln!(output, "hint: run `cargo xtask docs` and commit what it changes.")?;
        }
        return Ok(differences.is_empty());
    }
    write(&reference, &said, &differences)?;
    writeln!(output, "{REFERENCE}: {} pages, {} changed", said.len(), differences.len())?;
    Ok(true)
}

/// The pages of a folder by name; none when there is no folder.
fn pages(folder: &Path) -> Result<BTreeMap<String, String>, DocsError> {
    let failed = |source| DocsError::File { path: folder.to_path_buf(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut pages = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            let text =
                fs::read_to_string(&path).map_err(|source| DocsError::File { path: path.clone(), source })?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            pages.insert(name, text);
        }
    }
    Ok(pages)
}

/// What is not as it should be, page by page.
fn differences(
    said: &BTreeMap<String, String>,
    kept: &BTreeMap<String, String>,
) -> Vec<(String, &'static str)> {
    let new = said.iter().filter_map(|(page, text)| match kept.get(page) {
        None => Some((page.clone(), "is missing")),
        Some(old) if old != text => Some((page.clone(), "is not what the program says")),
        Some(_) => None,
    });
    let gone = kept
        .keys()
        .filter(|page| !said.contains_key(*page))
        .map(|page| (page.clone(), "is of no use any more"));
    new.chain(gone).collect()
}

fn write(
    folder: &Path,
    said: &BTreeMap<String, String>,
    differences: &[(String, &'static str)],
) -> Result<(), DocsError> {
    fs::create_dir_all(folder).map_err(|source| DocsError::File { path: folder.to_path_buf(), source })?;
    for (page, _) in differences {
        let path = folder.join(page);
        let done = match said.get(page) {
            Some(text) => fs::write(&path, text),
            None => fs::remove_file(&path),
        };
        done.map_err(|source| DocsError::File { path, source })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pages: &[(&str, &str)]) -> BTreeMap<String, String> {
        pages.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn missing_changed_and_useless_pages_are_told() {
        let said = set(&[("a.md", "1"), ("b.md", "2"), ("c.md", "3")]);
        let kept = set(&[("b.md", "2"), ("c.md", "old"), ("d.md", "4")]);
        let told = differences(&said, &kept);
        let pages: Vec<&str> = told.iter().map(|(page, _)| page.as_str()).collect();
        assert_eq!(pages, ["a.md", "c.md", "d.md"]);
    }

    #[test]
    fn writing_leaves_exactly_what_was_said() {
        let folder = tempfile::tempdir().unwrap();
        let reference = folder.path().join("reference");
        assert!(pages(&reference).unwrap().is_empty());
        for said in [set(&[("a.md", "1"), ("b.md", "2")]), set(&[("b.md", "3")])] {
            let told = differences(&said, &pages(&reference).unwrap());
            write(&reference, &said, &told).unwrap();
            assert_eq!(pages(&reference).unwrap(), said);
        }
    }
}
