//! Limits of memory, processor and processes: by control groups where the machine lets us, else by rlimits.

use std::path::{Path, PathBuf};
use std::time::Duration;

use seaworthy_project::Service;
use serde::{Deserialize, Serialize};

use crate::facts::Seen;
use crate::kernel::Kernel;
use crate::system;

const ROOT: &str = "/sys/fs/cgroup";
/// The period that processor time is shared out in, in microseconds.
const PERIOD: u64 = 100_000;

/// A group whose last process just ended is busy for a moment.
const REMOVALS: u32 = 100;
const REMOVAL_PAUSE: Duration = Duration::from_millis(10);

/// What an instance may use; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Limits {
    pub(super) memory_bytes: Option<u64>,
    pub(super) cpu_millis: Option<u64>,
    pub(super) processes: Option<u64>,
}

/// How limits are kept.
#[derive(Debug)]
pub(super) struct Kept {
    /// The control groups to join.
    pub(super) groups: Vec<PathBuf>,
    /// In a few words, for people.
    pub(super) words: String,
    /// What must be kept by rlimit, because no control group does.
    pub(super) memory_by_rlimit: Option<u64>,
}

impl Limits {
    pub(super) fn of(service: &Service) -> Self {
        let pids = service.deploy.limits.pids.as_ref().map(|pids| pids.value);
        let pids = pids.or_else(|| service.node.get("pids_limit")?.text()?.parse().ok());
        Self {
            memory_bytes: service.memory_limit().map(|memory| memory.0),
            cpu_millis: service.cpu_limit().map(|cpus| cpus.millis),
            processes: pids.and_then(|pids| u64::try_from(pids).ok()).filter(|pids| *pids > 0),
        }
    }

    /// The memory limit that is kept for a process, in the group of that name or as the limit of its data segment.
    pub(super) fn memory_of(process: u32, group: &str) -> Seen<Option<u64>> {
        let kernel = Kernel::of(process);
        match kernel.group("memory") {
            Some((folder, _)) if folder.to_string_lossy().contains(group) => kernel.memory(),
            _ => kernel.ulimits().map(|limits| limits.get("data").and_then(|(soft, _)| *soft)),
        }
    }

    /// Sets up what keeps the limits of an instance.
    pub(super) fn keep(&self, name: &str) -> Kept {
        let unified = Path::new(ROOT).join("cgroup.controllers").exists();
        let mut kept = Kept { groups: Vec::new(), words: String::new(), memory_by_rlimit: None };
        let mut words: Vec<String> = Vec::new();
        let mut tell = |what: &str, how: Option<&str>| {
            words.push(format!(
                "{what}: {}",
                how.unwrap_or("not kept, this machine lets us make no group for it")
            ));
        };
        if let Some(bytes) = self.memory_bytes {
            let set = if unified {
                kept.unified(
                    name,
                    "memory",
                    &[("memory.max", bytes.to_string()), ("memory.swap.max", "0".to_owned())],
                )
            } else {
                kept.classic(
                    name,
                    "memory",
                    &[
                        ("memory.limit_in_bytes", bytes.to_string()),
                        ("memory.memsw.limit_in_bytes", bytes.to_string()),
                    ],
                )
            };
            if !set {
                kept.memory_by_rlimit = Some(bytes);
            }
            tell("memory", Some(if set { version(unified) } else { "rlimit" }));
        }
        if let Some(millis) = self.cpu_millis {
            let quota = (PERIOD * millis / 1000).max(1000);
            let set = if unified {
                kept.unified(name, "cpu", &[("cpu.max", format!("{quota} {PERIOD}"))])
            } else {
                kept.classic(
                    name,
                    "cpu",
                    &[("cpu.cfs_period_us", PERIOD.to_string()), ("cpu.cfs_quota_us", quota.to_string())],
                )
            };
            tell("cpu", set.then(|| version(unified)));
        }
        if let Some(processes) = self.processes {
            let files = [("pids.max", processes.to_string())];
            let set =
                if unified { kept.unified(name, "pids", &files) } else { kept.classic(name, "pids", &files) };
            tell("pids", set.then(|| version(unified)));
        }
        kept.words = if words.is_empty() { "none asked".to_owned() } else { words.join(", ") };
        kept
    }
}

fn version(unified: bool) -> &'static str {
    if unified { "cgroup v2" } else { "cgroup v1" }
}

impl Kept {
    /// One folder for all controllers.
    fn unified(&mut self, name: &str, controller: &str, files: &[(&str, String)]) -> bool {
        let parent = Path::new(ROOT).join("seaworthy");
        let folder = parent.join(name);
        let made = system::plain_folder(&folder).is_ok()
            && system::kernel_write(
                &Path::new(ROOT).join("cgroup.subtree_control"),
                &format!("+{controller}"),
            )
            .is_ok()
            && system::kernel_write(&parent.join("cgroup.subtree_control"), &format!("+{controller}"))
                .is_ok();
        made && self.set(folder, files)
    }

    /// One folder per controller.
    fn classic(&mut self, name: &str, controller: &str, files: &[(&str, String)]) -> bool {
        let mounted = Path::new(ROOT).join(controller);
        let folder = mounted.join("seaworthy").join(name);
        mounted.join("cgroup.procs").exists()
            && system::plain_folder(&folder).is_ok()
            && self.set(folder, files)
    }

    fn set(&mut self, folder: PathBuf, files: &[(&str, String)]) -> bool {
        let Some(((first, value), rest)) = files.split_first() else { return false };
        if system::kernel_write(&folder.join(first), value).is_err() {
            return false;
        }
        for (file, value) in rest {
            // Swap may not be counted on this machine; the memory limit holds without.
            let _ = system::kernel_write(&folder.join(file), value);
        }
        if !self.groups.contains(&folder) {
            self.groups.push(folder);
        }
        true
    }

    /// How often the kernel ended something for want of memory.
    pub(super) fn out_of_memory_kills(&self) -> u64 {
        let count = |path: PathBuf| {
            let text = system::kernel_text(&path.to_string_lossy())?;
            text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse::<u64>().ok())
        };
        self.groups
            .iter()
            .filter_map(|group| {
                count(group.join("memory.events")).or_else(|| count(group.join("memory.oom_control")))
            })
            .sum()
    }

    /// Ends all that is left in the groups.
    pub(super) fn clear(&self) {
        self.groups.iter().for_each(|group| clear(group));
    }
}

/// Ends what is left in the groups of an instance and removes them, whoever made them.
pub(super) async fn remove_groups(name: &str) {
    for parent in ["", "memory", "cpu", "pids"] {
        let group = Path::new(ROOT).join(parent).join("seaworthy").join(name);
        for _ in 0..REMOVALS {
            clear(&group);
            // Control groups are removed as folders, without their files; one that still holds a process stays.
            match system::remove_empty_folder(&group) {
                Err(error) if !system::is_absent(&error) => tokio::time::sleep(REMOVAL_PAUSE).await,
                _ => break,
            }
        }
    }
}

fn clear(group: &Path) {
    let left = system::kernel_text(&group.join("cgroup.procs").to_string_lossy()).unwrap_or_default();
    for process in left.lines().filter_map(|line| line.parse().ok()).filter(|process| *process > 0) {
        let _ =
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), nix::sys::signal::Signal::SIGKILL);
    }
}
