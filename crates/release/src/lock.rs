//! One change at a time: a lock of the kernel, which goes with its owner, and the owner's name for the message.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use crate::disk;

/// A command that only looks holds the lock for a moment: so often it is tried again, so long apart.
const GLANCES: u32 = 5;
const GLANCE: Duration = Duration::from_millis(20);
/// Held by whoever waits for the healer.
const WAITING: &str = "waiting";

/// The command of who brings instances back by itself; it gives way to everybody else.
pub const HEALER: &str = "agent run";
/// How long a command waits for the healer to give way: it may be stopping an instance.
const GIVE_WAY: Duration = Duration::from_secs(30);

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// What it does: `deploy`, `rollback`.
    pub command: String,
    /// Its process.
    pub process: u32,
    /// Its user.
    pub user: String,
    /// Since when.
    pub since: Timestamp,
}

/// Why a lock was not got.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("{}", held_by(owner.as_ref()))]
    Held {
        /// Who, if it could be read.
        owner: Option<Owner>,
    },
    /// The lock file cannot be used.
    #[error("the lock `{}` cannot be used", path.display())]
    Unusable {
        /// Where.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: std::io::Error,
    },
}

impl LockError {
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Held { .. } => {
                "wait until it is done, then run the command again; the lock goes when its process ends"
                    .into()
            }
            Self::Unusable { .. } => "check who owns the state folder".into(),
        }
    }
}

fn held_by(owner: Option<&Owner>) -> String {
    match owner {
        Some(owner) => format!(
            "`seaworthy {}` of user {} (process {}) holds the lock since {}",
            owner.command,
            owner.user,
            owner.process,
            owner.since.strftime("%Y-%m-%d %H:%M:%SZ")
        ),
        None => "another command holds the lock".to_owned(),
    }
}

/// The lock of a project, held until this value is dropped or its process ends.
#[derive(Debug)]
pub struct Lock {
    _file: Flock<File>,
}

impl Lock {
    /// Takes the lock of the project whose state is in `folder`; waits for nobody but the healer, which gives way.
    ///
    /// # Errors
    /// When somebody else has it, and who.
    pub fn take(folder: &Path, owner: &Owner) -> Result<Self, LockError> {
        let mut tries = 0;
        let mut waiting = None;
        loop {
            let error = match Self::try_take(folder, owner) {
                Err(error) => error,
                held => return held,
            };
            let by_healer = matches!(&error, LockError::Held { owner: Some(by) } if by.command == HEALER);
            if !by_healer || owner.command == HEALER || tries * GLANCE >= GIVE_WAY {
                return Err(error);
            }
            if waiting.is_none() {
                waiting = disk::open_lock(&folder.join(WAITING))
                    .ok()
                    .and_then(|file| Flock::lock(file, FlockArg::LockSharedNonblock).ok());
            }
            tries += GLANCES;
        }
    }

    /// Whether a command waits for the healer to give way.
    pub fn is_waited_for(folder: &Path) -> bool {
        let Ok(file) = disk::open_lock(&folder.join(WAITING)) else { return false };
        matches!(Flock::lock(file, FlockArg::LockExclusiveNonblock), Err((_, nix::errno::Errno::EAGAIN)))
    }

    fn try_take(folder: &Path, owner: &Owner) -> Result<Self, LockError> {
        let path = folder.join("lock");
        let unusable = |cause| LockError::Unusable { path: path.clone(), cause };
        disk::make_folder(folder).map_err(unusable)?;
        let mut file = disk::open_lock(&path).map_err(unusable)?;
        for _ in 0..GLANCES {
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(mut held) => {
                    write_owner(&mut held, owner).map_err(unusable)?;
                    return Ok(Self { _file: held });
                }
                Err((taken, nix::errno::Errno::EAGAIN)) => file = taken,
                Err((_, errno)) => return Err(unusable(errno.into())),
            }
            std::thread::park_timeout(GLANCE);
        }
        Err(LockError::Held { owner: read_owner(&mut file) })
    }

    /// Whether somebody holds the lock now, and who.
    pub fn holder(folder: &Path) -> Option<Owner> {
        let mut file = disk::open_lock(&folder.join("lock")).ok()?;
        let owner = read_owner(&mut file);
        match Flock::lock(file, FlockArg::LockSharedNonblock) {
            Ok(_) => None,
            Err(_) => owner,
        }
    }
}

fn write_owner(file: &mut File, owner: &Owner) -> std::io::Result<()> {
    let text = serde_json::to_vec(owner)?;
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&text)
}

fn read_owner(file: &mut File) -> Option<Owner> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}
