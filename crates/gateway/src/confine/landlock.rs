//! Landlock, by its three system calls: the kernel then refuses writes outside a folder, whatever the user may.
#![allow(unsafe_code, reason = "there is no safe way to these calls in what this crate stands on")]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

use crate::rim;

/// All ways to write that the first version knows: files, removing, and making of each kind.
const WRITE: u64 = 1 << 1 | 0b1_1111_1111 << 4;
/// Moving and linking between folders, from version 2 on; cutting a file short, from version 3 on.
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;
/// What may be done to a file that is no folder.
const WRITE_FILE: u64 = 1 << 1 | TRUNCATE;
/// Asks for the version instead of making a set of rules.
const VERSION: u32 = 1;
/// A rule about what lies beneath a path.
const PATH_BENEATH: u32 = 1;

#[repr(C)]
struct Rules {
    handled: u64,
}

#[repr(C, packed)]
struct Beneath {
    allowed: u64,
    parent: i32,
}

/// From now on, this thread and what it starts write only in this folder, and to `/dev/null`.
pub(super) fn write_only_in(folder: &Path) -> io::Result<()> {
    let handled = match version()? {
        1 => WRITE,
        2 => WRITE | REFER,
        _ => WRITE | REFER | TRUNCATE,
    };
    let rules = Rules { handled };
    // SAFETY: the pointer is to a value of that size, which outlives the call; the kernel only reads it.
    let made = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, &raw const rules, size_of::<Rules>(), 0_u32)
    };
    let rules = i32::try_from(told(made)?).map_err(io::Error::other)?;
    // SAFETY: the kernel has just given this descriptor to us, and nobody else knows it.
    let rules = unsafe { OwnedFd::from_raw_fd(rules) };
    allow(&rules, &rim::open_path(folder)?, handled)?;
    allow(&rules, &rim::open_path(Path::new("/dev/null"))?, WRITE_FILE & handled)?;
    rustix::thread::set_no_new_privs(true)?;
    // SAFETY: numbers alone.
    told(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0_u32) }).map(drop)
}

fn version() -> io::Result<i64> {
    let nothing = std::ptr::null::<Rules>();
    // SAFETY: with this flag the kernel reads nothing and answers with a number.
    told(unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0_usize, VERSION) })
}

fn allow(rules: &OwnedFd, beneath: &File, allowed: u64) -> io::Result<()> {
    let rule = Beneath { allowed, parent: beneath.as_raw_fd() };
    // SAFETY: the pointer is to a value of the kind that the rule's type names, which outlives the call.
    let added = unsafe {
        libc::syscall(libc::SYS_landlock_add_rule, rules.as_raw_fd(), PATH_BENEATH, &raw const rule, 0_u32)
    };
    told(added).map(drop)
}

fn told(answer: libc::c_long) -> io::Result<i64> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}
