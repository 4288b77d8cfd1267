//! One run of a program: wall time and peak memory, measured by a process that has no other child.

#![expect(clippy::disallowed_methods, reason = "a bench measures by the real clock, and runs itself again")]

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub(super) time: Duration,
    /// The most memory that was resident at once, in KiB. It counts a few MiB at least, since a process begins as a
    /// copy of the one that starts it.
    pub(super) memory: u64,
}

/// Runs a program in a folder, its output thrown away, in a process of our own that measures it.
pub(super) fn run(folder: &Path, program: &[&str]) -> Result<Cost, Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let measured = Command::new(own)
        .args(["bench", "measure"])
        .arg(folder)
        .arg("--")
        .args(program)
        .stderr(Stdio::inherit())
        .output()?;
    if !measured.status.success() {
        return Err(
            format!("`{}` could not be measured in `{}`.", program.join(" "), folder.display()).into()
        );
    }
    let text = String::from_utf8(measured.stdout)?;
    let (time, memory) = text.trim().split_once(' ').ok_or("a measurement is two numbers.")?;
    Ok(Cost { time: Duration::from_nanos(time.parse()?), memory: memory.parse()? })
}

/// Runs a program and prints its nanoseconds and KiB.
pub(super) fn print(folder: &Path, program: &[String], output: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let (first, rest) = program.split_first().ok_or("no program was named.")?;
    let begun = Instant::now();
    let status = Command::new(first)
        .args(rest)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let time = begun.elapsed();
    if !status.success() {
        return Err(format!("`{}` failed: {status}.", program.join(" ")).into());
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    writeln!(output, "{} {}", time.as_nanos(), usage.max_rss())?;
    Ok(())
}

/// The median of time and of memory, each by itself.
pub(super) fn median(costs: Vec<Cost>) -> Option<Cost> {
    let mut times: Vec<_> = costs.iter().map(|cost| cost.time).collect();
    let mut memories: Vec<_> = costs.iter().map(|cost| cost.memory).collect();
    times.sort_unstable();
    memories.sort_unstable();
    Some(Cost { time: *times.get(times.len() / 2)?, memory: *memories.get(memories.len() / 2)? })
}
