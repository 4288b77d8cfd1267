//! Processes on a core of their own, and what the system says they cost.
#![expect(clippy::disallowed_methods, reason = "a bench reads what the system says of processes")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a process may take to end before it is killed.
const END: Duration = Duration::from_secs(10);

/// Runs where and how urgently: a core, and a nice value that takes the bench out of the way of what else runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pin {
    pub(super) core: u32,
    pub(super) nice: i32,
}

impl Pin {
    /// A command that runs there.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = Command::new("nice");
        command.args(["-n", &self.nice.to_string(), "taskset", "-c", &self.core.to_string()]).arg(program);
        command
    }
}

/// A process with all it has started; ended when dropped.
#[derive(Debug)]
pub(super) struct Pinned {
    child: Child,
}

impl Pinned {
    pub(super) fn start(pin: Pin, words: &[String], folder: &Path) -> Result<Self, Box<dyn Error>> {
        let (program, rest) = words.split_first().ok_or("no program was named.")?;
        let log = fs::File::create(folder.join("output.log"))?;
        let mut command = pin.command(&PathBuf::from(program));
        command.args(rest).current_dir(folder).stdin(Stdio::null());
        let child = command.stdout(log.try_clone()?).stderr(log).spawn()?;
        Ok(Self { child })
    }

    /// It and all that it started, by their ids.
    pub(super) fn processes(&self) -> Vec<u32> {
        let mut found = vec![self.child.id()];
        let mut next = 0;
        while let Some(parent) = found.get(next).copied() {
            found.extend(children(parent));
            next += 1;
        }
        found
    }

    /// Has the system prefer it where sessions are scheduled as groups.
    pub(super) fn prefer(&self, nice: i32) {
        for process in self.processes() {
            // Not all systems have such groups.
            let _ = fs::write(format!("/proc/{process}/autogroup"), nice.to_string());
        }
    }

    /// The processor time it took so far.
    pub(super) fn processor_time(&self) -> Duration {
        let nanos = |process: &u32| -> u64 {
            let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
            let of = |thread: fs::DirEntry| {
                let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
                text.split_whitespace().next()?.parse::<u64>().ok()
            };
            threads.filter_map(of).sum()
        };
        Duration::from_nanos(self.processes().iter().map(nanos).sum())
    }

    /// Its memory in KiB, what is shared by several processes counted once.
    pub(super) fn memory(&self) -> u64 {
        let of = |process: &u32| {
            let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        self.processes().iter().filter_map(of).sum()
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let processes = self.processes();
        let send = |signal| {
            for process in processes.iter().filter_map(|id| i32::try_from(*id).ok()) {
                let _ = kill(Pid::from_raw(process), signal);
            }
        };
        send(Signal::SIGTERM);
        let until = Instant::now() + END;
        while Instant::now() < until
            && processes.iter().skip(1).any(|id| Path::new(&format!("/proc/{id}")).exists())
        {
            std::thread::park_timeout(Duration::from_millis(20));
            let _ = self.child.try_wait();
        }
        send(Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

fn children(parent: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let texts = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    texts
        .flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|id| id.parse().ok())
        .collect()
}
