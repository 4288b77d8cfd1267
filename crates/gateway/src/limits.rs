//! What the system lets one process have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A request needs a descriptor towards the client and one towards the backend; a third is for idle connections.
const DESCRIPTORS_PER_CONNECTION: u64 = 3;
/// What a system without a limit counts as.
const PLENTY: u64 = 1 << 20;

/// Takes all descriptors that this process may have: the usual soft limit of 1024 is for programs that use `select`.
/// Answers with how many client connections they are enough for.
pub(crate) fn connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(PLENTY);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let granted = if raised.is_ok() { most } else { limit.current.unwrap_or(PLENTY) };
    usize::try_from(granted / DESCRIPTORS_PER_CONNECTION).unwrap_or(usize::MAX)
}

/// Whether this side ran out of something: that says nothing about the other side.
pub(crate) fn is_own_shortage(error: &std::io::Error) -> bool {
    let Some(code) = rustix::io::Errno::from_io_error(error) else { return false };
    [
        rustix::io::Errno::MFILE,
        rustix::io::Errno::NFILE,
        rustix::io::Errno::NOBUFS,
        rustix::io::Errno::NOMEM,
        rustix::io::Errno::ADDRNOTAVAIL,
    ]
    .contains(&code)
}
