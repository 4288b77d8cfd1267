//! The only place of this crate that touches the clock and the disk by name.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the rim: all files and the clock of this crate go through here"
)]

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// What time it is.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The file of this program, as device and number, and when it was written. The system knows it even where another file has
/// its name by now.
pub(crate) fn own_program() -> io::Result<((u64, u64), i64)> {
    let data = fs::metadata("/proc/self/exe")?;
    let written_ns = data.mtime().saturating_mul(1_000_000_000).saturating_add(data.mtime_nsec());
    Ok(((data.dev(), data.ino()), written_ns))
}

/// Makes a folder that only its owner may enter, and its parents.
pub(crate) fn private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))
}

/// Lets only the owner read and write `file`.
pub(crate) fn make_private(file: &Path) -> io::Result<()> {
    fs::set_permissions(file, Permissions::from_mode(0o600))
}

/// The whole file, or `None` when there is none; longer than `limit_bytes` is an error.
pub(crate) fn read(path: &Path, limit_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(limit_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit_bytes {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than it can be"));
    }
    Ok(Some(bytes))
}

/// Replaces the file as a whole: after a crash it holds the old bytes or the new ones.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("json.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// The user that a file belongs to, where there is one.
pub(crate) fn owner(path: &Path) -> Option<u32> {
    fs::metadata(path).map(|data| data.uid()).ok()
}

/// Opens a path only to name it.
pub(crate) fn open_path(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(rustix::fs::OFlags::PATH.bits()).unwrap_or(0);
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Opens a file to append to; only its owner may read it.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// Gives a file another name; a missing file is fine.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    missing_is_fine(fs::rename(from, to))
}

/// Removes a file; a missing file is fine.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    missing_is_fine(fs::remove_file(path))
}

fn missing_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A file's permissions.
pub(crate) fn mode(path: &Path) -> io::Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o777)
}

/// When a file was last written; nothing where it cannot be looked at.
pub(crate) fn written_at(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}

/// Where a path leads, links followed.
pub(crate) fn real_path(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

/// The names in a folder.
pub(crate) fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

/// Whether it is a folder.
pub(crate) fn is_folder(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_dir())
}

/// How long a file is, where there is one.
pub(crate) fn length(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|data| data.len())
}

/// The SHA-256 of a file, and its length. Only plain files end.
pub(crate) fn digest(path: &Path) -> io::Result<([u8; 32], u64)> {
    pass_on(path, &mut io::sink())
}

/// Copies a file so that it is there whole or not at all, for its owner alone; returns the SHA-256 of what was copied.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<[u8; 32]> {
    let part = to.with_extension("part");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    let (hash, _) = pass_on(from, &mut file)?;
    file.sync_all()?;
    fs::rename(&part, to)?;
    Ok(hash)
}

fn pass_on(from: &Path, to: &mut dyn Write) -> io::Result<([u8; 32], u64)> {
    if !fs::metadata(from)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"));
    }
    let (mut file, mut hash, mut length) = (File::open(from)?, Sha256::new(), 0_u64);
    let mut piece = vec![0; 256 << 10];
    loop {
        let count = file.read(&mut piece)?;
        let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else {
            return Ok((hash.finalize().into(), length));
        };
        hash.update(read);
        to.write_all(read)?;
        length += read.len() as u64;
    }
}

/// Opens a file to read it; no link is followed.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Up to so many bytes of a file from a place on; none at its end.
pub(crate) fn read_at(file: &File, at: u64, count: u64) -> io::Result<Bytes> {
    let mut bytes = vec![0; usize::try_from(count).unwrap_or(usize::MAX)];
    let read = file.read_at(&mut bytes, at)?;
    bytes.truncate(read);
    Ok(bytes.into())
}
