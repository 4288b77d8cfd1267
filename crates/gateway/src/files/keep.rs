//! Takes a folder up, and lets go of what nobody needs.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::list::{Entry, List, hex};
use crate::place::Place;
use crate::rim;

/// What one list may hold.
const MOST_FILES: usize = 20_000;
const MOST_BYTES: u64 = 2 << 30;
/// Folders in one another.
const DEEPEST: usize = 32;
/// The one folder that is served though it is hidden (RFC 8615).
const WELL_KNOWN: &str = ".well-known";

/// Why files cannot be taken up.
#[derive(Debug, Error)]
pub enum FilesError {
    /// The folder is not there, or is none.
    #[error("`{}` is no folder that can be read", path.display())]
    NoFolder {
        /// Which.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// Something in it cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A link leads out of the folder.
    #[error("the link `{}` leads out of the folder", path.display())]
    Leads {
        /// Which.
        path: PathBuf,
    },
    /// A name is no text.
    #[error("the name of `{}` is no text", path.display())]
    Name {
        /// Which.
        path: PathBuf,
    },
    /// There is too much.
    #[error("`{}` has more than {MOST_FILES} files, {MOST_BYTES} bytes or {DEEPEST} folders in one another", path.display())]
    TooMuch {
        /// The folder.
        path: PathBuf,
    },
    /// There is nothing.
    #[error("there is no file in `{}`", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A file became another one while it was taken up.
    #[error("`{}` changed while it was read", path.display())]
    Changed {
        /// Which.
        path: PathBuf,
    },
    /// They cannot be kept.
    #[error("`{}` cannot be written", path.display())]
    Unwritten {
        /// Where.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

/// Looks at the files of a folder. Hidden ones are left out, links are followed as long as they stay inside.
///
/// # Errors
/// What stands in the way of serving them.
pub fn scan(folder: &Path) -> Result<List, FilesError> {
    let no_folder = |source| FilesError::NoFolder { path: folder.to_owned(), source };
    let root = rim::real_path(folder).map_err(no_folder)?;
    let mut list = List::default();
    let (mut open, mut bytes) = (vec![(root.clone(), String::new(), 0)], 0_u64);
    while let Some((at, path, depth)) = open.pop() {
        let unreadable = |source| FilesError::Unreadable { path: at.clone(), source };
        let names =
            if depth == 0 { rim::names(&at).map_err(no_folder) } else { rim::names(&at).map_err(unreadable) };
        for name in names? {
            let inside = at.join(&name);
            let text = name.to_str().ok_or_else(|| FilesError::Name { path: inside.clone() })?;
            if text.starts_with('.') && text != WELL_KNOWN {
                continue;
            }
            let unreadable = |source| FilesError::Unreadable { path: inside.clone(), source };
            let real = rim::real_path(&inside).map_err(unreadable)?;
            if !real.starts_with(&root) {
                return Err(FilesError::Leads { path: inside });
            }
            let path = format!("{path}{text}");
            if rim::is_folder(&real) {
                open.push((inside, format!("{path}/"), depth + 1));
            } else {
                let (hash, length) = rim::digest(&real).map_err(unreadable)?;
                bytes = bytes.saturating_add(length);
                list.files.insert(path, Entry { hash: hex(&hash), bytes: length });
            }
            if list.files.len() > MOST_FILES || bytes > MOST_BYTES || depth > DEEPEST {
                return Err(FilesError::TooMuch { path: folder.to_owned() });
            }
        }
    }
    if list.files.is_empty() { Err(FilesError::Empty { path: folder.to_owned() }) } else { Ok(list) }
}

/// Keeps the files of a folder as a list says, in a state folder, for a project.
///
/// # Errors
/// What could not be kept. What was kept before is as it was.
pub fn keep(state: &Path, project: &str, folder: &Path, list: &List) -> Result<(), FilesError> {
    let place = Place::new(state);
    let kept = place.files(project);
    let unwritten = |path: &Path| {
        let path = path.to_owned();
        move |source| FilesError::Unwritten { path, source }
    };
    rim::private_folder(&kept).map_err(unwritten(&kept))?;
    for (path, entry) in &list.files {
        let to = kept.join(&entry.hash);
        if rim::length(&to) == Some(entry.bytes) {
            continue;
        }
        let from = folder.join(path);
        let hash = rim::copy(&from, &to).map_err(unwritten(&to))?;
        if hex(&hash) != entry.hash {
            let _ = rim::remove(&to);
            return Err(FilesError::Changed { path: from });
        }
    }
    let named = place.file_list(project, &list.hash());
    rim::replace(&named, list.text().as_bytes()).map_err(unwritten(&named))
}

/// Lets go of all files of a project that none of these lists has.
///
/// # Errors
/// What could not be removed.
pub fn drop_but(state: &Path, project: &str, lists: &[List]) -> Result<(), FilesError> {
    let kept = Place::new(state).files(project);
    let Ok(names) = rim::names(&kept) else { return Ok(()) };
    let named: Vec<String> = lists.iter().map(|list| format!("{}.json", list.hash())).collect();
    let used: std::collections::HashSet<&str> = lists
        .iter()
        .flat_map(|list| list.files.values().map(|entry| entry.hash.as_str()))
        .chain(named.iter().map(String::as_str))
        .collect();
    for name in names.iter().filter(|name| name.to_str().is_none_or(|name| !used.contains(name))) {
        let path = kept.join(name);
        rim::remove(&path).map_err(|source| FilesError::Unwritten { path, source })?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test makes the files that it needs")]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn what_is_hidden_stays_so_and_no_link_leads_out() {
        let outside = folder(&[("secret", "s")]);
        let dist = folder(&[
            ("index.html", "a"),
            ("a/b.js", "b"),
            (".env", "x"),
            (".git/config", "x"),
            (".well-known/c", "c"),
        ]);
        symlink("index.html", dist.path().join("same.html")).unwrap();
        let list = scan(dist.path()).unwrap();
        let paths: Vec<&str> = list.files.keys().map(String::as_str).collect();
        assert_eq!(paths, [".well-known/c", "a/b.js", "index.html", "same.html"]);
        assert_eq!(list.files["same.html"], list.files["index.html"]);
        assert_eq!(List::parse(&list.text()).unwrap(), list);
        symlink(outside.path().join("secret"), dist.path().join("a/out")).unwrap();
        assert!(matches!(scan(dist.path()), Err(FilesError::Leads { path }) if path.ends_with("a/out")));
        fs::remove_file(dist.path().join("a/out")).unwrap();
        symlink(outside.path(), dist.path().join("a/folder")).unwrap();
        assert!(matches!(scan(dist.path()), Err(FilesError::Leads { .. })));
        assert!(matches!(scan(&dist.path().join("nothing")), Err(FilesError::NoFolder { .. })));
        assert!(matches!(scan(folder(&[(".env", "x")]).path()), Err(FilesError::Empty { .. })));
    }

    #[test]
    fn files_are_kept_once_and_go_when_no_list_has_them() {
        let (state, dist) = (tempfile::tempdir().unwrap(), folder(&[("index.html", "a"), ("b", "b")]));
        let one = scan(dist.path()).unwrap();
        keep(state.path(), "shop", dist.path(), &one).unwrap();
        fs::write(dist.path().join("index.html"), "c").unwrap();
        assert!(matches!(
            keep(tempfile::tempdir().unwrap().path(), "shop", dist.path(), &one),
            Err(FilesError::Changed { .. })
        ));
        let two = scan(dist.path()).unwrap();
        keep(state.path(), "shop", dist.path(), &two).unwrap();
        let kept = || rim::names(&Place::new(state.path()).files("shop")).unwrap().len();
        assert_eq!(kept(), 3 + 2, "three contents and two lists");
        drop_but(state.path(), "shop", std::slice::from_ref(&two)).unwrap();
        assert_eq!(kept(), 2 + 1);
        drop_but(state.path(), "other", &[]).unwrap();
        assert_eq!(kept(), 2 + 1);
    }
}
