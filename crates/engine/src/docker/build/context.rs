//! The folder of sources as an archive, sent while it is read, without what `.dockerignore` names.

use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::sync::mpsc;

use crate::docker::build::ignore::Ignore;
use crate::system;

/// How long a build may go until its first word: the sources are sent before.
pub(super) const PATIENCE: Duration = Duration::from_secs(1800);
/// Bytes sent at a time, and how many such pieces wait.
const PIECE: usize = 64 << 10;
const PIECES: usize = 8;

/// What is sent to the builder.
#[derive(Debug, Clone)]
pub(super) struct Context {
    /// The folder.
    pub(super) folder: PathBuf,
    /// The name of the Dockerfile in the archive.
    pub(super) dockerfile: String,
    /// Its contents, when it is not a file of the folder.
    pub(super) outside: Option<String>,
    /// What `.dockerignore` says.
    pub(super) ignore: String,
}

impl Context {
    /// The archive, made while it is sent.
    pub(super) fn send(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (sender, receiver) = mpsc::channel(PIECES);
        tokio::task::spawn_blocking(move || {
            let failed = sender.clone();
            let pieces = Pieces { sender, waiting: Vec::with_capacity(PIECE) };
            if let Err(error) = self.write(pieces) {
                // Nobody listens any more when the build has failed already.
                let _ = failed.blocking_send(Err(error));
            }
        });
        stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) })
    }

    fn write(self, pieces: impl Write) -> io::Result<()> {
        let mut archive = tar::Builder::new(pieces);
        let ignore = Ignore::parse(&self.ignore);
        self.folder(&mut archive, &ignore, Path::new(""))?;
        if let Some(text) = &self.outside {
            add_text(&mut archive, &self.dockerfile, text)?;
            // The builder itself takes out of the context what this names.
            add_text(
                &mut archive,
                ".dockerignore",
                &format!("{}\n{}\n.dockerignore\n", self.ignore, self.dockerfile),
            )?;
        }
        archive.into_inner()?.flush()
    }

    fn folder(
        &self,
        archive: &mut tar::Builder<impl Write>,
        ignore: &Ignore,
        inside: &Path,
    ) -> io::Result<()> {
        for name in system::names(&self.folder.join(inside))? {
            let inside = inside.join(&name);
            let (path, text) = (self.folder.join(&inside), inside.to_string_lossy().into_owned());
            let needed = self.outside.is_none() && (text == self.dockerfile || text == ".dockerignore");
            if self.outside.is_some() && text == ".dockerignore" {
                continue;
            }
            let metadata = path.symlink_metadata()?;
            let ignored = ignore.matches(&text) && !needed;
            if metadata.is_dir() {
                // Something in an ignored folder may be wanted all the same.
                let wanted_inside =
                    ignore.may_want_inside(&text) || Path::new(&self.dockerfile).starts_with(&inside);
                if !ignored {
                    add(archive, &inside, &path, &metadata)?;
                }
                if !ignored || wanted_inside {
                    self.folder(archive, ignore, &inside)?;
                }
            } else if !ignored {
                add(archive, &inside, &path, &metadata)?;
            }
        }
        Ok(())
    }
}

/// Adds one file, folder or link. Owners are left out, so that the same sources give the same archive everywhere.
fn add(
    archive: &mut tar::Builder<impl Write>,
    inside: &Path,
    path: &Path,
    metadata: &std::fs::Metadata,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(metadata.mode() & 0o7777);
    header.set_mtime(u64::try_from(metadata.mtime()).unwrap_or(0));
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    if metadata.is_dir() {
        header.set_entry_type(tar::EntryType::Directory);
        return archive.append_data(&mut header, inside, io::empty());
    }
    if metadata.is_symlink() {
        header.set_entry_type(tar::EntryType::Symlink);
        return archive.append_link(&mut header, inside, path.read_link()?);
    }
    if !metadata.is_file() {
        // Sockets and pipes are nothing to build from.
        return Ok(());
    }
    let file = system::open(path)?;
    let length = file.metadata()?.len();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(length);
    // A file that grows meanwhile is cut, one that shrinks is filled: the archive stays whole.
    archive.append_data(&mut header, inside, io::Read::take(io::Read::chain(file, io::repeat(0)), length))
}

fn add_text(archive: &mut tar::Builder<impl Write>, name: &str, text: &str) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(text.len() as u64);
    archive.append_data(&mut header, name, text.as_bytes())
}

/// Gathers bytes to pieces and sends them; ends when nobody takes them.
struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    waiting: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.waiting, Vec::with_capacity(PIECE));
        self.sender.blocking_send(Ok(piece.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods)]
    use super::*;

    fn sent(context: &Context) -> Vec<String> {
        let mut bytes = Vec::new();
        context.clone().write(&mut bytes).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect()
    }

    #[test]
    fn what_is_ignored_is_not_sent_but_the_dockerfile_is() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("Dockerfile", "FROM scratch"),
            ("src/main.rs", ""),
            ("target/debug/x", ""),
            ("target/keep/x", ""),
            ("secret.env", ""),
            (".dockerignore", ""),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut context = Context {
            folder: folder.path().to_owned(),
            dockerfile: "Dockerfile".to_owned(),
            outside: None,
            ignore: "*\n!src\n!target/keep\n".to_owned(),
        };
        assert_eq!(
            sent(&context),
            [".dockerignore", "Dockerfile", "src", "src/main.rs", "target/keep", "target/keep/x"]
        );
        context.outside = Some("FROM scratch".to_owned());
        context.dockerfile = ".other".to_owned();
        context.ignore = "target\n*.env\n".to_owned();
        assert_eq!(sent(&context), ["Dockerfile", "src", "src/main.rs", ".other", ".dockerignore"]);
    }
}
