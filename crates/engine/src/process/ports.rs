//! Loopback ports: one for each port inside an instance, fixed for its life, never shared.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use crate::process::folder::{Folders, Made};
use crate::{EngineError, system};

/// Below the range that the kernel takes ports from for outgoing connections.
const FIRST: u16 = 20_000;
const LAST: u16 = 32_000;
/// How long another command may hold the table of ports.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

/// Keeps others from choosing ports until it is dropped.
pub(super) struct Table {
    lock: Option<system::Lock>,
    taken: Vec<u16>,
}

impl Table {
    /// Waits for the table and reads which ports instances have.
    pub(super) async fn open(folders: &Folders) -> Result<Self, EngineError> {
        system::private_folder(folders.state())?;
        let path = folders.state().join("ports.lock");
        let attempt = || "choose ports".to_owned();
        let mut waited = Duration::ZERO;
        let lock = loop {
            if let Some(lock) = system::attempt(system::Lock::take(&path), attempt)? {
                break lock;
            }
            if waited >= PATIENCE {
                let cause = std::io::Error::from(std::io::ErrorKind::TimedOut);
                return Err(EngineError::System { attempt: attempt(), cause });
            }
            tokio::time::sleep(PAUSE).await;
            waited += PAUSE;
        };
        let mut taken = Vec::new();
        for project in system::attempt(system::names(&folders.instances()), attempt)? {
            let folder = folders.instances().join(project);
            for instance in system::attempt(system::names(&folder), attempt)? {
                let made = Made::read(&folder.join(instance)).ok().flatten();
                taken.extend(
                    made.into_iter().flat_map(|made| made.addresses).map(|(_, address)| address.port()),
                );
            }
        }
        Ok(Self { lock: Some(lock), taken })
    }

    /// An address that nobody has.
    pub(super) fn choose(&mut self) -> Result<SocketAddr, EngineError> {
        let span = LAST - FIRST;
        let start = u16::from_be_bytes(system::random::<2>()) % span;
        let free = (0..span).map(|step| FIRST + (start + step) % span).find(|port| {
            !self.taken.contains(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()
        });
        let none = || EngineError::System {
            attempt: format!("find a free port between {FIRST} and {LAST}"),
            cause: std::io::ErrorKind::AddrInUse.into(),
        };
        let port = free.ok_or_else(none)?;
        self.taken.push(port);
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }
}

/// Whether the ports of an instance that does not run are still its own. A stranger that took one must neither be
/// asked whether the instance is ready nor be sent its requests.
pub(super) fn still_free(made: &Made) -> Result<(), EngineError> {
    let taken =
        made.addresses.iter().find_map(|(_, address)| Some((address, TcpListener::bind(address).err()?)));
    let Some((address, cause)) = taken else { return Ok(()) };
    let attempt = format!("start {} again: another program has taken its address {address}", made.id);
    Err(EngineError::System { attempt, cause })
}

impl Drop for Table {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take() {
            lock.delete();
        }
    }
}
