//! Starting a process under its limits: what must happen between fork and exec, where only system calls are allowed.
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command as StdCommand, Stdio};

use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, getpid, getppid, setgid, setgroups, setsid, setuid, write};
use tokio::process::{Child, Command};

use crate::process::limits::Kept;
use crate::process::spec::Spec;
use crate::system;

/// What files of an instance do not let others do unless it says so; container engines have the same.
const UMASK: Mode = Mode::S_IWGRP.union(Mode::S_IWOTH);

/// Starts the program of a spec under what keeps its limits. It dies with the calling thread.
pub(super) fn start(spec: &Spec, kept: &Kept) -> io::Result<Child> {
    let mut command = StdCommand::new(&spec.program);
    command.args(&spec.arguments);
    dress(&mut command, spec);
    confine(&mut command, spec, &kept.groups, kept.memory_by_rlimit, true)?;
    Command::from(command).spawn()
}

/// Readies a command that runs beside an instance, as its user, with its variables, in a session of its own.
pub(in crate::process) fn beside(command: &mut StdCommand, spec: &Spec) -> io::Result<()> {
    dress(command, spec);
    confine(command, spec, &[], None, false)
}

fn dress(command: &mut StdCommand, spec: &Spec) {
    command
        .env_clear()
        .envs(&spec.variables)
        .current_dir(&spec.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
}

/// Puts a command into a session of its own, into control groups, under a limit, and makes it the user's. Its limits
/// hold from its first instruction on, so that no child of it can slip out.
fn confine(
    command: &mut StdCommand,
    spec: &Spec,
    groups: &[PathBuf],
    memory: Option<u64>,
    dies_with_us: bool,
) -> io::Result<()> {
    let mut entries = Vec::new();
    for group in groups {
        entries.push(system::append(&group.join("cgroup.procs"), 0)?);
    }
    let user = spec.user.map(|user| (Uid::from_raw(user.uid), Gid::from_raw(user.gid)));
    let no_new_privileges = spec.no_new_privileges;
    let parent = dies_with_us.then(getpid);
    let enter = move || -> io::Result<()> {
        setsid()?;
        umask(UMASK);
        for entry in &entries {
            write(entry, b"0")?;
        }
        if let Some(bytes) = memory {
            setrlimit(Resource::RLIMIT_DATA, bytes, bytes)?;
        }
        if let Some((user, group)) = user {
            setgroups(&[group])?;
            setgid(group)?;
            setuid(user)?;
        }
        if no_new_privileges {
            prctl::set_no_new_privs()?;
        }
        if let Some(parent) = parent {
            // After the change of user, which undoes it; and the parent may have ended before.
            prctl::set_pdeathsig(Signal::SIGKILL)?;
            if getppid() != parent {
                return Err(io::Error::from_raw_os_error(nix::libc::ESRCH));
            }
        }
        Ok(())
    };
    // SAFETY: between fork and exec only system calls are made. All that the closure needs was made before the fork
    // and moved in; nothing is allocated, no lock is taken, and errors are plain numbers.
    unsafe { command.pre_exec(enter) };
    Ok(())
}
