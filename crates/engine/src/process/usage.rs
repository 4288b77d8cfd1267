//! What the processes of an instance use, as the kernel counts it.

use std::path::Path;

use crate::facts::Seen;
use crate::process::folder::Made;
use crate::process::limits::Limits;
use crate::process::{observe, who};
use crate::{EngineError, InstanceId, InstanceState, Usage, system};

pub(super) fn of(folder: &Path, id: &InstanceId) -> Result<Option<Usage>, EngineError> {
    let missing = || EngineError::NoInstance { instance: id.to_string() };
    let instance = observe::instance(folder)?.ok_or_else(missing)?;
    let made = Made::read(folder)?.ok_or_else(missing)?;
    let Some(main) = instance.process.filter(|_| instance.state == InstanceState::Running) else {
        return Ok(None);
    };
    // Its shim carries the mark as well, and is not part of it.
    let shim = who::parent(main);
    let all = who::with_variable(super::folder::MARK, &made.mark)
        .into_iter()
        .filter(|process| Some(*process) != shim);
    let (mut cpu_nanos, mut memory_bytes, mut pids) = (0, 0, 0);
    let (mut read, mut written) = (Some(0), Some(0));
    for process in all {
        let Some(used) = Used::of(process) else { continue };
        cpu_nanos += used.cpu_nanos;
        memory_bytes += used.memory_bytes;
        pids += used.threads;
        // The kernel tells it of one's own processes alone.
        read = read.zip(used.read).map(|(sum, more)| sum + more);
        written = written.zip(used.written).map(|(sum, more)| sum + more);
    }
    Ok(Some(Usage {
        taken_at: system::now(),
        cpu_nanos,
        memory_bytes,
        memory_limit_bytes: match Limits::memory_of(main, &made.group()) {
            Seen::Is(limit) => limit,
            _ => None,
        },
        received_bytes: None,
        sent_bytes: None,
        read_bytes: read,
        written_bytes: written,
        pids,
    }))
}

/// What one process uses.
struct Used {
    cpu_nanos: u64,
    memory_bytes: u64,
    threads: u64,
    read: Option<u64>,
    written: Option<u64>,
}

impl Used {
    fn of(process: u32) -> Option<Self> {
        let text = |name: &str| system::kernel_text(&format!("/proc/{process}/{name}"));
        let stat = text("stat")?;
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<u64> = rest.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
        // Fields 14, 15, 20 and 24 of the whole line (proc_pid_stat(5)).
        let (user, kernel, threads, pages) =
            (fields.get(11)?, fields.get(12)?, fields.get(17)?, fields.get(21)?);
        let size = |name| nix::unistd::sysconf(name).ok().flatten().and_then(|size| u64::try_from(size).ok());
        let ticks = size(nix::unistd::SysconfVar::CLK_TCK)?.max(1);
        let page = size(nix::unistd::SysconfVar::PAGE_SIZE)?;
        let moved = |name: &str| {
            let io = text("io")?;
            io.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
        };
        Some(Self {
            cpu_nanos: (user + kernel) * 1_000_000_000 / ticks,
            memory_bytes: pages * page,
            threads: *threads,
            read: moved("read_bytes:"),
            written: moved("write_bytes:"),
        })
    }
}
