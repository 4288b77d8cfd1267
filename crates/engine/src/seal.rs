//! Sealing: what may hold secrets is encrypted before it touches a disk.
//!
//! XChaCha20-Poly1305 with a random nonce. Sealed data is one version byte, the nonce, and the ciphertext with its
//! tag; the context (what the data is, and whose) is authenticated with it, so that one sealed value cannot be
//! passed off as another.

mod fingerprint;

use std::fmt;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize, Zeroizing};

use crate::{EngineError, system};

/// Bytes of a key.
const KEY_LENGTH: usize = 32;
/// Bytes of a nonce: long enough to be drawn at random for ever.
const NONCE_LENGTH: usize = 24;
/// The first byte of sealed data.
const VERSION: u8 = 1;

/// The key of a state folder, 32 bytes, kept in a file of mode 0600.
#[derive(Clone)]
pub struct SealKey([u8; KEY_LENGTH]);

/// Why something could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed data cannot be opened: it was changed, cut short, or sealed with another key")]
pub struct OpenError;

impl SealKey {
    /// A key of these bytes.
    pub fn new(bytes: [u8; KEY_LENGTH]) -> Self {
        Self(bytes)
    }

    /// Reads the key from `path`, or draws one and keeps it there. Two callers at once get the same key.
    ///
    /// # Errors
    /// When the file cannot be read or made, has not exactly 32 bytes, or others than its owner may read it.
    pub fn load_or_create(path: &Path) -> Result<Self, EngineError> {
        if let Some(key) = Self::load(path)? {
            return Ok(key);
        }
        let bytes = Zeroizing::new(system::random::<KEY_LENGTH>());
        match system::create_whole(path, bytes.as_slice(), 0o600) {
            Ok(()) => Ok(Self(*bytes)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Self::load(path)?.ok_or_else(|| refused(path, "it was deleted while it was being read"))
            }
            Err(cause) => Err(EngineError::System {
                attempt: format!("create the key file `{}`", path.display()),
                cause,
            }),
        }
    }

    fn load(path: &Path) -> Result<Option<Self>, EngineError> {
        let read = system::read(path, KEY_LENGTH as u64 + 1).map(|bytes| bytes.map(Zeroizing::new));
        let bytes = match read {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return Err(refused(path, "it is not a key of 32 bytes; restore it from a backup"));
            }
            Err(cause) => {
                let attempt = format!("read the key file `{}`", path.display());
                return Err(EngineError::System { attempt, cause });
            }
        };
        let metadata =
            system::attempt(path.metadata(), || format!("look at the key file `{}`", path.display()))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            let reason = format!("others may read this key; run `chmod 600 {}`", path.display());
            return Err(refused(path, &reason));
        }
        let key = <[u8; KEY_LENGTH]>::try_from(bytes.as_slice());
        let key = key.map_err(|_| refused(path, "it is not a key of 32 bytes; restore it from a backup"))?;
        Ok(Some(Self(key)))
    }

    /// Encrypts `plain`. Only who names the same `context` can open it again.
    pub fn seal(&self, plain: &[u8], context: &str) -> Vec<u8> {
        let nonce = XNonce::from(system::random::<NONCE_LENGTH>());
        let payload = Payload { msg: plain, aad: context.as_bytes() };
        let sealed =
            self.cipher().encrypt(&nonce, payload).expect("a text that fits into memory can be sealed");
        let mut bytes = Vec::with_capacity(1 + NONCE_LENGTH + sealed.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        bytes
    }

    /// Decrypts what [`SealKey::seal`] made with this key and `context`; wiped from memory when dropped.
    ///
    /// # Errors
    /// When it was changed or cut short, or sealed with another key or context.
    pub fn open(&self, sealed: &[u8], context: &str) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (version, rest) = sealed.split_first().ok_or(OpenError)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LENGTH).ok_or(OpenError)?;
        if *version != VERSION {
            return Err(OpenError);
        }
        let nonce = XNonce::try_from(nonce).map_err(|_| OpenError)?;
        let payload = Payload { msg: ciphertext, aad: context.as_bytes() };
        self.cipher().decrypt(&nonce, payload).map(Zeroizing::new).map_err(|_| OpenError)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Drop for SealKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

fn refused(path: &Path, reason: &str) -> EngineError {
    EngineError::State { path: path.display().to_string(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods)]
    use super::*;

    #[test]
    fn opens_what_it_sealed() {
        let key = SealKey::new([7; 32]);
        let sealed = key.seal(b"hunter2", "a");
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(key.open(&sealed, "a").unwrap().as_slice(), b"hunter2");
        assert_ne!(sealed, key.seal(b"hunter2", "a"), "the nonce is drawn anew each time");
    }

    #[test]
    fn refuses_what_was_changed() {
        let key = SealKey::new([7; 32]);
        let sealed = key.seal(b"hunter2", "a");
        assert_eq!(key.open(&sealed, "b").unwrap_err(), OpenError);
        assert_eq!(SealKey::new([8; 32]).open(&sealed, "a").unwrap_err(), OpenError);
        for length in 0..sealed.len() {
            assert!(key.open(&sealed[..length], "a").is_err());
        }
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(key.open(&changed, "a").is_err());
        }
    }

    #[test]
    fn keeps_one_key_in_a_private_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let sealed = SealKey::load_or_create(&path).unwrap().seal(b"x", "");
        assert!(SealKey::load_or_create(&path).unwrap().open(&sealed, "").is_ok());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left over");
    }

    #[test]
    fn callers_at_once_get_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let keys: Vec<SealKey> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| SealKey::load_or_create(&path).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| key.0 == keys[0].0));
    }

    #[test]
    fn refuses_a_file_that_is_no_key_or_readable_by_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for length in [0, 31, 33, 100] {
            std::fs::write(&path, vec![1; length]).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            assert!(
                SealKey::load_or_create(&path).unwrap_err().to_string().contains("not a key of 32 bytes")
            );
        }
        std::fs::write(&path, [1; 32]).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(SealKey::load_or_create(&path).unwrap_err().to_string().contains("chmod 600"));
    }
}
