//! Which process: its number, when it started, and in which life of the machine; never by number alone.

use serde::{Deserialize, Serialize};

use crate::system;

/// A process that cannot be mistaken for another one that got its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Who {
    pub(super) process: u32,
    /// Clock ticks since boot, from `/proc/<pid>/stat`.
    pub(super) started: u64,
    /// `/proc/sys/kernel/random/boot_id`.
    pub(super) boot: String,
}

impl Who {
    /// The process with that number, if there is one.
    pub(super) fn of(process: u32) -> Option<Self> {
        Some(Self { process, started: started(process)?, boot: boot()? })
    }

    /// Whether it still runs; one that ended and was not reaped yet does not.
    pub(super) fn runs(&self) -> bool {
        boot().as_ref() == Some(&self.boot) && started(self.process) == Some(self.started)
    }
}

fn boot() -> Option<String> {
    system::kernel_text("/proc/sys/kernel/random/boot_id").map(|text| text.trim().to_owned())
}

/// The parent of a process.
pub(super) fn parent(process: u32) -> Option<u32> {
    Stat::of(process).map(|stat| stat.parent)
}

/// The children of a process that have not ended.
pub(super) fn children(parent: u32) -> Vec<u32> {
    let is_child =
        |process: &u32| Stat::of(*process).is_some_and(|stat| stat.parent == parent && !stat.ended);
    all().into_iter().filter(is_child).collect()
}

/// The children of a process that have ended and were not reaped yet.
pub(super) fn ended_children(parent: u32) -> Vec<u32> {
    let is_one = |process: &u32| Stat::of(*process).is_some_and(|stat| stat.parent == parent && stat.ended);
    all().into_iter().filter(is_one).collect()
}

/// The processes whose environment has exactly this variable. Those of others cannot be looked into and are left out.
pub(super) fn with_variable(name: &str, value: &str) -> Vec<u32> {
    let wanted = format!("{name}={value}").into_bytes();
    let has = |process: &u32| {
        let variables = system::kernel_bytes(&format!("/proc/{process}/environ")).unwrap_or_default();
        variables.split(|byte| *byte == 0).any(|variable| variable == wanted)
    };
    let lives = |process: &u32| Stat::of(*process).is_some_and(|stat| !stat.ended);
    all().into_iter().filter(has).filter(lives).collect()
}

fn all() -> Vec<u32> {
    let names = system::names("/proc".as_ref()).unwrap_or_default();
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

/// When a process started, unless it has ended.
fn started(process: u32) -> Option<u64> {
    Stat::of(process).filter(|stat| !stat.ended).map(|stat| stat.started)
}

/// What `/proc/<pid>/stat` says (proc_pid_stat(5)).
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    started: u64,
    /// It ended, and only waits to be reaped.
    ended: bool,
}

impl Stat {
    fn of(process: u32) -> Option<Self> {
        Self::parse(&system::kernel_text(&format!("/proc/{process}/stat"))?)
    }

    fn parse(text: &str) -> Option<Self> {
        // The name in parentheses may itself hold spaces and parentheses.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        // Fields 3, 4 and 22 of the whole line.
        let ended = matches!(*fields.first()?, "Z" | "X");
        Some(Self { parent: fields.get(1)?.parse().ok()?, started: fields.get(19)?.parse().ok()?, ended })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_and_no_other_with_its_number_does() {
        let me = Who::of(std::process::id()).unwrap();
        assert!(me.runs());
        assert!(!Who { started: me.started + 1, ..me.clone() }.runs());
        assert!(!Who { boot: "another".to_owned(), ..me }.runs());
    }

    #[test]
    fn a_name_with_parentheses_and_blanks_is_read_over() {
        let text = "7 (a) Z (b c) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9\n";
        assert_eq!(Stat::parse(text), Some(Stat { parent: 3, started: 4242, ended: false }));
        assert_eq!(Stat::parse("7 (x"), None);
    }
}
