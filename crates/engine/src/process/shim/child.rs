//! Starting the program: its own group and session rules, its user, its limits.
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command as StdCommand, Stdio};

use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use tokio::process::{Child, Command};

use crate::process::limits::Kept;
use crate::process::spec::Spec;

/// Starts the program of a spec. It dies with this process.
pub(super) fn start(spec: &Spec, kept: &Kept) -> io::Result<Child> {
    let mut command = StdCommand::new(&spec.program);
    command
        .args(&spec.arguments)
        .env_clear()
        .envs(&spec.variables)
        .current_dir(&spec.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if let Some(user) = spec.user {
        command.gid(user.gid).uid(user.uid);
    }
    let no_new_privileges = spec.no_new_privileges;
    let memory = kept.memory_by_rlimit;
    // SAFETY: between fork and exec only system calls are made (prctl, setrlimit); nothing is allocated, no lock is
    // taken.
    unsafe {
        command.pre_exec(move || {
            prctl::set_pdeathsig(Signal::SIGKILL)?;
            if no_new_privileges {
                prctl::set_no_new_privs()?;
            }
            if let Some(bytes) = memory {
                setrlimit(Resource::RLIMIT_DATA, bytes, bytes)?;
            }
            Ok(())
        });
    }
    Command::from(command).spawn()
}
