//! The crate's one door to the disk: folders of 0700, files of 0600, written whole or not at all.
#![allow(clippy::disallowed_methods, reason = "this is the crate's rim: the one file that touches the disk")]

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use seaworthy_engine::seal::SealKey;
use seaworthy_project::ProjectName;

use crate::{ReleaseError, Store, StoreError};

/// Bytes that must be free before anything is begun: a plan that cannot be journalled must not start.
const FREE_BYTES_NEEDED: u64 = 16 << 20;

/// The folder that holds the state of all projects of a user on this host.
#[derive(Debug, Clone)]
pub struct StateFolder {
    root: PathBuf,
}

impl StateFolder {
    /// The state folder at `root`, made if it is not there, and tried by writing.
    ///
    /// # Errors
    /// When it cannot be made or written to, or when the disk is full.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, ReleaseError> {
        let folder = Self { root: root.into() };
        folder.usable().map_err(|cause| ReleaseError::StateFolder { path: folder.root.clone(), cause })?;
        let free = nix::sys::statvfs::statvfs(&folder.root)
            .map(|stat| stat.blocks_available() * stat.fragment_size())
            .unwrap_or(u64::MAX);
        if free < FREE_BYTES_NEEDED {
            return Err(ReleaseError::DiskFull { path: folder.root, free, needed: FREE_BYTES_NEEDED });
        }
        Ok(folder)
    }

    /// The state folder at `root` for looking only: nothing is made.
    pub fn existing(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn usable(&self) -> io::Result<()> {
        make_folder(&self.root)?;
        let trial = self.root.join(format!(".trial-{}", std::process::id()));
        write_private(&trial, b"seaworthy")?;
        std::fs::remove_file(&trial)
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The key that seals everything in it.
    ///
    /// # Errors
    /// When it cannot be read or made.
    pub fn key(&self) -> Result<SealKey, ReleaseError> {
        // A key that is gone is not drawn anew: what it sealed would be lost without a word.
        let has_state = |project: &ProjectName| length(&Store::path_in(&self.project(project))).is_some();
        if !self.root.join("key").exists() && self.projects().iter().any(has_state) {
            return Err(ReleaseError::KeyGone { path: self.root.join("key") });
        }
        SealKey::load_or_create(&self.root.join("key")).map_err(ReleaseError::Key)
    }

    /// The folder of one project.
    pub fn project(&self, project: &ProjectName) -> PathBuf {
        self.root.join("projects").join(project.as_str())
    }

    /// The projects that have state here, sorted.
    pub fn projects(&self) -> Vec<ProjectName> {
        let entries = std::fs::read_dir(self.root.join("projects"));
        let mut names: Vec<ProjectName> = entries
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| ProjectName::new(entry.file_name().to_string_lossy()).ok())
            .collect();
        names.sort();
        names
    }
}

/// Makes a folder of mode 0700, with its parents.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file of mode 0600 whole: beside it first, then moved into place, on disk before this returns.
pub(crate) fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let written = (|| {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(contents)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// The whole of a file, or `None` when it is not there.
pub(crate) fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(contents) => Ok(Some(contents)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The length of a file, or `None` when it is not there.
pub(crate) fn length(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|metadata| metadata.len())
}

/// Removes a file; one that is not there is removed already.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The names in a folder, sorted; none when it is not there.
pub(crate) fn list(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// The addresses on which this machine takes TCP connections, as the kernel lists them; `None` when it does not.
pub(crate) fn listening() -> Option<Vec<SocketAddr>> {
    let four = std::fs::read_to_string("/proc/net/tcp").ok()?;
    // A machine may have no IP version 6.
    let six = std::fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
    Some(four.lines().chain(six.lines()).filter_map(listener).collect())
}

/// A line of the kernel's list, when it is about a listener: `0: 0100007F:1F90 00000000:0000 0A …`.
fn listener(line: &str) -> Option<SocketAddr> {
    const LISTENS: &str = "0A";
    let mut fields = line.split_whitespace().skip(1);
    let (own, _, state) = (fields.next()?, fields.next()?, fields.next()?);
    let (address, port) = own.split_once(':').filter(|_| state == LISTENS)?;
    let port = u16::from_str_radix(port, 16).ok()?;
    // Words of four bytes, each as this machine keeps it in memory.
    let words =
        (0..address.len() / 8).map(|word| u32::from_str_radix(address.get(word * 8..word * 8 + 8)?, 16).ok());
    let bytes: Vec<u8> =
        words.collect::<Option<Vec<u32>>>()?.into_iter().flat_map(u32::to_ne_bytes).collect();
    let ip = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => IpAddr::from(four),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?),
    };
    Some(SocketAddr::new(ip, port))
}

/// Removes a folder and all in it.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens or makes the lock file.
pub(crate) fn open_lock(path: &Path) -> io::Result<std::fs::File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Makes sure a database file has mode 0600 before SQLite writes to it.
pub(crate) fn make_private(path: &Path) -> Result<(), StoreError> {
    let made = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    made.and_then(|file| file.set_permissions(Permissions::from_mode(0o600)))
        .map_err(|cause| StoreError::Unwritable { path: path.to_owned(), cause })
}

/// How a copy went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// There is more than may be copied.
    #[error("it holds more than {} MiB or {MOST_COPIED} entries", MOST_COPIED_BYTES >> 20)]
    TooLarge,
    /// It holds something that is no file, folder or link.
    #[error("`{}` is neither a file, a folder nor a link", path.display())]
    Live {
        /// What.
        path: PathBuf,
    },
    /// It cannot be read, or written where it goes.
    #[error("`{}` cannot be copied: {cause}", path.display())]
    Failed {
        /// What.
        path: PathBuf,
        /// The cause; part of the text, since it is shown as one reason.
        cause: io::Error,
    },
}

/// The most that is copied for a try.
const MOST_COPIED: usize = 20_000;
const MOST_COPIED_BYTES: u64 = 256 << 20;

/// Copies a file or a folder with owners and permissions; one that is not there becomes an empty folder.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<(), CopyError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |cause| CopyError::Failed { path, cause }
    };
    if let Some(parent) = to.parent() {
        make_folder(parent).map_err(failed(parent))?;
    }
    let mut waiting = vec![(from.to_owned(), to.to_owned())];
    let (mut entries, mut bytes) = (0usize, 0u64);
    while let Some((from, to)) = waiting.pop() {
        let seen = match std::fs::symlink_metadata(&from) {
            Ok(seen) => seen,
            Err(error) if error.kind() == io::ErrorKind::NotFound && entries == 0 => {
                return make_folder(&to).map_err(failed(&to));
            }
            Err(cause) => return Err(CopyError::Failed { path: from, cause }),
        };
        entries += 1;
        bytes += seen.len();
        if entries > MOST_COPIED || bytes > MOST_COPIED_BYTES {
            return Err(CopyError::TooLarge);
        }
        let kind = seen.file_type();
        if kind.is_symlink() {
            let target = std::fs::read_link(&from).map_err(failed(&from))?;
            std::os::unix::fs::symlink(target, &to).map_err(failed(&to))?;
            continue;
        } else if kind.is_dir() {
            make_folder(&to).map_err(failed(&to))?;
            for entry in std::fs::read_dir(&from).map_err(failed(&from))? {
                let entry = entry.map_err(failed(&from))?;
                waiting.push((entry.path(), to.join(entry.file_name())));
            }
        } else if kind.is_file() {
            std::fs::copy(&from, &to).map_err(failed(&from))?;
        } else {
            return Err(CopyError::Live { path: from });
        }
        // Who is not root cannot give files away; then they are its own, as most of them were.
        let owned = std::os::unix::fs::lchown(&to, Some(seen.uid()), Some(seen.gid()));
        if nix::unistd::geteuid().is_root() {
            owned.map_err(failed(&to))?;
        }
        std::fs::set_permissions(&to, seen.permissions()).map_err(failed(&to))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_whole_and_what_is_live_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("copies/0"));
        std::fs::create_dir_all(from.join("deep")).unwrap();
        std::fs::write(from.join("deep/file"), "text").unwrap();
        std::fs::set_permissions(from.join("deep"), Permissions::from_mode(0o750)).unwrap();
        std::os::unix::fs::symlink("deep/file", from.join("link")).unwrap();
        copy_tree(&from, &to).unwrap();
        assert_eq!(std::fs::read_to_string(to.join("link")).unwrap(), "text");
        assert_eq!(std::fs::metadata(to.join("deep")).unwrap().mode() & 0o777, 0o750);
        copy_tree(&folder.path().join("absent"), &folder.path().join("copies/1")).unwrap();
        assert!(folder.path().join("copies/1").is_dir());
        let _socket = std::os::unix::net::UnixListener::bind(from.join("live")).unwrap();
        assert!(matches!(copy_tree(&from, &folder.path().join("copies/2")), Err(CopyError::Live { .. })));
    }

    #[test]
    fn who_listens_is_told_exactly() {
        let own = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = own.local_addr().unwrap();
        let all = listening().unwrap();
        assert!(all.contains(&address), "{address} is not among {all:?}");
        assert!(!all.contains(&SocketAddr::new([0, 0, 0, 0].into(), address.port())));
    }
}
