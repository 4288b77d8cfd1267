//! What a shim is told: everything it needs to run its instance. It reaches a disk only sealed.

use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use nix::unistd::User as SystemUser;
use seaworthy_project::Service;
use serde::{Deserialize, Serialize};

use crate::process::ProcessOptions;
use crate::process::folder::{Folders, Made};
use crate::process::inside::{self, Inside};
use crate::process::restart::RestartPolicy;
use crate::process::{artifacts, limits::Limits};
use crate::seal::SealKey;
use crate::{EngineError, InstanceKind, Revision, system};

/// The largest sealed spec that is read.
const MOST_BYTES: u64 = 8 << 20;

/// What a shim is told.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) variables: IndexMap<String, String>,
    pub(super) folder: PathBuf,
    pub(super) user: Option<User>,
    pub(super) no_new_privileges: bool,
    pub(super) limits: Limits,
    pub(super) restart: RestartPolicy,
    pub(super) stop_signal: i32,
    pub(super) grace_s: f64,
    /// The name of its control groups.
    pub(super) group: String,
    /// When it is stopped at the latest, in seconds from its start: for jobs.
    pub(super) deadline_s: Option<f64>,
}

/// Who the program runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Spec {
    /// What an instance of a revision is run with; the files it is granted are written.
    pub(super) fn of(
        options: &ProcessOptions,
        folders: &Folders,
        revision: &Revision,
        made: &Made,
        deadline: Option<Duration>,
    ) -> Result<Self, EngineError> {
        let service = &revision.service;
        let user = user(service)?;
        let inside = Inside::make(folders, revision, made, user.as_ref())?;
        let words = artifacts::command(service)?;
        let program = artifacts::to_run(folders, revision, &options.search_path);
        if user.is_some() {
            inside::let_through(folders, &program)?;
        }
        let restart = match revision.kind {
            InstanceKind::Job => RestartPolicy::never(),
            InstanceKind::Replica => RestartPolicy::of(service),
        };
        Ok(Self {
            name: made.id.to_string(),
            program,
            arguments: words.iter().skip(1).map(|word| inside.real(word)).collect(),
            variables: inside.variables(options, revision, made, user.is_some()),
            folder: revision.directory.clone(),
            user,
            no_new_privileges: service.security_opt.iter().any(|option| {
                matches!(
                    option.value.as_str(),
                    "no-new-privileges" | "no-new-privileges:true" | "no-new-privileges=true"
                )
            }),
            limits: Limits::of(service),
            restart,
            stop_signal: signal(service)?,
            grace_s: service.stop_grace().as_secs_f64(),
            group: made.group(),
            deadline_s: deadline.map(|deadline| deadline.as_secs_f64()),
        })
    }

    /// Keeps it beside the instance, sealed: for health tests, which run with the same variables.
    pub(super) fn keep(&self, folder: &std::path::Path, key: &SealKey) -> Result<(), EngineError> {
        let sealed = key.seal(&serde_json::to_vec(self).unwrap_or_default(), &self.name);
        let path = folder.join("spec.sealed");
        system::attempt(system::write_whole(&path, &sealed, 0o600), || format!("write `{}`", path.display()))
    }

    /// Reads what was kept.
    pub(super) fn kept(folder: &std::path::Path, name: &str, key: &SealKey) -> Result<Self, EngineError> {
        let path = folder.join("spec.sealed");
        let unreadable = |reason: String| EngineError::State { path: path.display().to_string(), reason };
        let sealed =
            system::attempt(system::read(&path, MOST_BYTES), || format!("read `{}`", path.display()))?;
        let sealed = sealed.ok_or_else(|| EngineError::NoInstance { instance: name.to_owned() })?;
        let plain = key.open(&sealed, name).map_err(|error| unreadable(error.to_string()))?;
        serde_json::from_slice(&plain).map_err(|error| unreadable(error.to_string()))
    }
}

/// The numbers of a user that somebody names for a command.
pub(super) fn user_named(said: &str, attempt: &str) -> Result<User, EngineError> {
    let refused = |reason: String, hint: &str| EngineError::Refused {
        attempt: attempt.to_owned(),
        reason,
        hint: Some(hint.to_owned()),
    };
    if !nix::unistd::geteuid().is_root() {
        return Err(refused(
            "only root may run it as somebody else".to_owned(),
            "leave `--user` out, or run it as root",
        ));
    }
    numbers(said).ok_or_else(|| {
        refused(format!("this machine does not know the user `{said}`"), "use a number, such as `1001`")
    })
}

/// `user`, when this user may start processes as somebody else.
fn user(service: &Service) -> Result<Option<User>, EngineError> {
    let Some(said) = service.user.as_ref().filter(|_| nix::unistd::geteuid().is_root()) else {
        return Ok(None);
    };
    match numbers(&said.value) {
        Some(user) => Ok(Some(user)),
        None => Err(EngineError::NotRunnable {
            service: service.name.value.to_string(),
            reason: format!("wants to run as `{}`, which this machine does not know", said.value),
            hint: "use a number, such as `user: \"1001\"`".to_owned(),
            span: Some(said.span),
        }),
    }
}

/// The numbers of `user`, `user:group`, by name or number.
fn numbers(said: &str) -> Option<User> {
    let (user, group) = said.split_once(':').unwrap_or((said, ""));
    let known = SystemUser::from_name(user).ok().flatten();
    let uid = user.parse().ok().or_else(|| known.as_ref().map(|known| known.uid.as_raw()));
    let gid = match group {
        "" => known.as_ref().map(|known| known.gid.as_raw()).or(uid),
        group => group
            .parse()
            .ok()
            .or_else(|| nix::unistd::Group::from_name(group).ok().flatten().map(|group| group.gid.as_raw())),
    };
    Some(User { uid: uid?, gid: gid? })
}

fn signal(service: &Service) -> Result<i32, EngineError> {
    let Some(said) = &service.stop_signal else { return Ok(nix::libc::SIGTERM) };
    let name = said.value.to_ascii_uppercase();
    let name = if name.starts_with("SIG") { name } else { format!("SIG{name}") };
    let known = said
        .value
        .parse()
        .ok()
        .or_else(|| name.parse::<nix::sys::signal::Signal>().ok().map(|signal| signal as i32));
    known.ok_or_else(|| EngineError::NotRunnable {
        service: service.name.value.to_string(),
        reason: format!("names a stop signal `{}` that there is not", said.value),
        hint: "use a name such as `SIGTERM` or `SIGINT`".to_owned(),
        span: Some(said.span),
    })
}
