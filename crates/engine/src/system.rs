//! The one place of this crate that reads the clock, files and randomness.
#![expect(clippy::disallowed_methods, reason = "this is the crate's rim: all other files come here")]

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::EngineError;

/// What time it is.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Bytes nobody can guess.
pub(crate) fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("a running kernel always gives random bytes");
    bytes
}

/// Bytes nobody can guess, as hexadecimal digits.
pub(crate) fn random_hexadecimal() -> String {
    hexadecimal(&random::<16>())
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names what was attempted when it failed.
pub(crate) fn attempt<T>(result: io::Result<T>, attempt: impl FnOnce() -> String) -> Result<T, EngineError> {
    result.map_err(|cause| EngineError::System { attempt: attempt(), cause })
}

/// Opens a file for reading.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// A whole file of at most `limit` bytes; `None` when it is not there.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {limit} bytes")));
    }
    Ok(Some(bytes))
}

/// A whole small text of the kernel's own file systems, such as `/proc`; `None` when it cannot be read.
pub(crate) fn kernel_text(path: &str) -> Option<String> {
    std::fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// A whole small file of the kernel's own file systems as bytes; `None` when it cannot be read.
pub(crate) fn kernel_bytes(path: &str) -> Option<Vec<u8>> {
    std::fs::read(path).ok()
}

/// Writes into a file of the kernel's own file systems, such as a limit of a control group.
pub(crate) fn kernel_write(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}

/// The names in a folder, sorted; none when there is no such folder.
pub(crate) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Puts a whole file in place at once: readers see the old or the new one, also after a power cut.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = sibling(path);
    let result = write_new(&temporary, bytes, mode).and_then(|()| std::fs::rename(&temporary, path));
    if result.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

/// Makes a whole file that must not be there yet; it appears with all its bytes or not at all.
pub(crate) fn create_whole(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = sibling(path);
    let result = write_new(&temporary, bytes, mode).and_then(|()| std::fs::hard_link(&temporary, path));
    let _ = std::fs::remove_file(&temporary);
    result
}

/// Opens a new file for writing, with exactly that mode.
pub(crate) fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    Ok(file)
}

/// A name beside `path` that nobody else uses.
pub(crate) fn sibling(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.{}", random_hexadecimal()))
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = create_new(path, mode)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Opens a file to append to, made with that mode when it is not there.
pub(crate) fn append(path: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(mode).open(path)
}

/// Adds permissions to a folder that is ours.
pub(crate) fn add_mode(path: &Path, bits: u32) -> io::Result<()> {
    let metadata = path.metadata()?;
    if metadata.uid() != nix::unistd::geteuid().as_raw() || metadata.mode() & bits == bits {
        return Ok(());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(metadata.mode() & 0o7777 | bits))
}

/// Sets the permissions of a file.
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// Makes a folder of the kernel's own file systems, such as a control group.
pub(crate) fn plain_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Removes a folder that holds no other, as control groups are removed.
pub(crate) fn remove_empty_folder(path: &Path) -> io::Result<()> {
    std::fs::remove_dir(path)
}

/// Makes a folder, and those above it that are missing, for this user alone. One that is there already must be
/// ours and not be writable by others, or secrets could be read or swapped there.
pub(crate) fn private_folder(path: &Path) -> Result<(), EngineError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    attempt(made, || format!("create the folder `{}`", path.display()))?;
    let metadata = attempt(path.symlink_metadata(), || format!("look at the folder `{}`", path.display()))?;
    let ours = metadata.is_dir() && metadata.uid() == nix::unistd::geteuid().as_raw();
    if !ours || metadata.mode() & 0o022 != 0 {
        let reason = "it belongs to another user or others may write to it";
        return Err(EngineError::State { path: path.display().to_string(), reason: reason.to_owned() });
    }
    Ok(())
}

/// Deletes a file or a whole folder; one that is not there is deleted already.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    let result = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Err(error) if is_absent(&error) => Ok(()),
        other => other,
    }
}

/// A lock of the kernel on a file, freed when it is dropped or its owner dies.
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock, making its file when needed; `None` when somebody else holds it.
    pub(crate) fn take(path: &Path) -> io::Result<Option<Self>> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // The owner before us may have deleted the file while we waited: then this lock keeps nobody out.
        let same = path.metadata().is_ok_and(|there| {
            file.metadata().is_ok_and(|held| (held.dev(), held.ino()) == (there.dev(), there.ino()))
        });
        Ok(same.then(|| Self { file, path: path.to_owned() }))
    }

    /// Frees the lock and deletes its file.
    pub(crate) fn delete(self) {
        let _ = std::fs::remove_file(&self.path);
        drop(self.file);
    }
}

/// Whether a file is missing, or a folder above it.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
