//! Processes as the kernel shows them: who is who, who is alive, who belongs to whom.

use serde::{Deserialize, Serialize};

use crate::system;

/// A process, told apart from a later one with the same number by when it started and on which boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessIdentity {
    /// The kernel's id of this boot.
    pub(crate) boot: String,
    /// The process id.
    pub(crate) pid: u32,
    /// When it started, in clock ticks after boot.
    pub(crate) started_ticks: u64,
}

impl ProcessIdentity {
    /// The identity of the process that has this id now; `None` when there is none.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let stat = Stat::read(pid)?;
        Some(Self { boot: boot()?, pid, started_ticks: stat.started_ticks })
    }

    /// Whether that very process still runs. One that ended and was not waited for does not.
    pub(crate) fn is_alive(&self) -> bool {
        let stat = Stat::read(self.pid);
        let same = stat.is_some_and(|stat| stat.started_ticks == self.started_ticks && !stat.ended);
        same && boot().as_deref() == Some(&self.boot)
    }
}

struct Stat {
    parent: u32,
    started_ticks: u64,
    ended: bool,
}

impl Stat {
    /// Reads `/proc/<pid>/stat` (proc_pid_stat(5)); the name in it is in brackets and may hold anything.
    fn read(pid: u32) -> Option<Self> {
        Self::parse(&system::kernel_text(&format!("/proc/{pid}/stat"))?)
    }

    fn parse(text: &str) -> Option<Self> {
        let (_, after_name) = text.rsplit_once(')')?;
        let fields: Vec<&str> = after_name.split_ascii_whitespace().collect();
        let state = *fields.first()?;
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            started_ticks: fields.get(19)?.parse().ok()?,
            ended: matches!(state, "Z" | "X" | "x"),
        })
    }
}

/// The kernel's id of this boot.
fn boot() -> Option<String> {
    system::kernel_text("/proc/sys/kernel/random/boot_id").map(|text| text.trim().to_owned())
}

/// The children of a process that have not ended.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let is_child = |pid: &u32| Stat::read(*pid).is_some_and(|stat| stat.parent == parent && !stat.ended);
    all().into_iter().filter(is_child).collect()
}

/// The processes whose environment holds exactly this variable. Those of other users cannot be looked into and are
/// left out.
pub(crate) fn with_variable(name: &str, value: &str) -> Vec<u32> {
    let wanted = format!("{name}={value}");
    let has = |pid: &u32| {
        let environment = system::kernel_bytes(&format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    let alive = |pid: &u32| Stat::read(*pid).is_some_and(|stat| !stat.ended);
    all().into_iter().filter(has).filter(alive).collect()
}

fn all() -> Vec<u32> {
    let names = system::names("/proc".as_ref()).unwrap_or_default();
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_no_other_with_its_number() {
        let me = ProcessIdentity::of(std::process::id()).unwrap();
        assert!(me.is_alive());
        assert!(!ProcessIdentity { started_ticks: me.started_ticks + 1, ..me.clone() }.is_alive());
        assert!(!ProcessIdentity { boot: "another".to_owned(), ..me }.is_alive());
    }

    #[test]
    fn a_name_with_brackets_and_blanks_is_read_over() {
        let text = "7 (a) Z (b c) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9\n";
        let stat = Stat::parse(text).unwrap();
        assert_eq!((stat.parent, stat.started_ticks, stat.ended), (3, 4242, false));
        assert!(Stat::parse("7 (x").is_none());
    }
}
