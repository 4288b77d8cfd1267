//! What the kernel of this machine says of a process: who it is, what it may do and use, what it sees.

use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::fstat;
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};

use crate::facts::{Seen, SeenCapabilities, SeenFile, Ulimits};
use crate::system;

/// Where control groups are.
const CGROUPS: &str = "/sys/fs/cgroup";
/// The first version of control groups writes a number near 2⁶³ where there is no limit.
const NO_LIMIT: u64 = 1 << 60;
/// The names that Compose files and the kernel have for the limits of a process.
const ULIMITS: [(&str, &str); 16] = [
    ("as", "Max address space"),
    ("core", "Max core file size"),
    ("cpu", "Max cpu time"),
    ("data", "Max data size"),
    ("fsize", "Max file size"),
    ("locks", "Max file locks"),
    ("memlock", "Max locked memory"),
    ("msgqueue", "Max msgqueue size"),
    ("nice", "Max nice priority"),
    ("nofile", "Max open files"),
    ("nproc", "Max processes"),
    ("rss", "Max resident set"),
    ("rtprio", "Max realtime priority"),
    ("rttime", "Max realtime timeout"),
    ("sigpending", "Max pending signals"),
    ("stack", "Max stack size"),
];

/// A process of this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernel {
    process: u32,
}

impl Kernel {
    pub(crate) fn of(process: u32) -> Self {
        Self { process }
    }

    fn text(self, name: &str) -> Option<String> {
        system::kernel_text(&format!("/proc/{}/{name}", self.process))
    }

    /// A line of `/proc/<pid>/status`, without its name.
    fn status(self, name: &str) -> Seen<String> {
        let text = self.text("status");
        let line = text.as_deref().unwrap_or_default().lines();
        let value = line.filter_map(|line| line.split_once(':')).find(|(key, _)| *key == name);
        value.map_or_else(
            || unseen("the kernel does not tell"),
            |(_, value)| Seen::Is(value.trim().to_owned()),
        )
    }

    /// User and group by the numbers that hold inside its user namespace.
    pub(crate) fn user(self) -> Seen<(u32, u32)> {
        let real = |line: &str| line.split_whitespace().nth(1)?.parse::<u32>().ok();
        let (Seen::Is(uid), Seen::Is(gid)) = (self.status("Uid"), self.status("Gid")) else {
            return unseen("the kernel does not tell who it runs as");
        };
        match (real(&uid), real(&gid)) {
            (Some(uid), Some(gid)) => Seen::Is((self.inside("uid_map", uid), self.inside("gid_map", gid))),
            _ => unseen("the kernel does not tell who it runs as"),
        }
    }

    /// The number inside its user namespace for one of ours.
    fn inside(self, map: &str, number: u32) -> u32 {
        let lines = self.text(map).unwrap_or_default();
        let mapped = lines.lines().find_map(|line| {
            let mut fields = line.split_whitespace().map(|field| field.parse::<u64>().ok());
            let (inside, outside, count) = (fields.next()??, fields.next()??, fields.next()??);
            let distance = u64::from(number).checked_sub(outside).filter(|distance| *distance < count)?;
            u32::try_from(inside + distance).ok()
        });
        mapped.unwrap_or(number)
    }

    pub(crate) fn capabilities(self) -> Seen<SeenCapabilities> {
        let bits = |name: &str| match self.status(name) {
            Seen::Is(text) => u64::from_str_radix(&text, 16).ok(),
            _ => None,
        };
        match (bits("CapEff"), bits("CapBnd")) {
            (Some(effective), Some(bounding)) => Seen::Is(SeenCapabilities { effective, bounding }),
            _ => unseen("the kernel does not tell its capabilities"),
        }
    }

    pub(crate) fn no_new_privileges(self) -> Seen<bool> {
        self.status("NoNewPrivs").map(|text| text == "1")
    }

    pub(crate) fn seccomp(self) -> Seen<bool> {
        self.status("Seccomp").map(|text| text == "2")
    }

    pub(crate) fn apparmor(self) -> Seen<String> {
        let own = self.text("attr/apparmor/current").or_else(|| self.text("attr/current"));
        match own {
            // `docker-default (enforce)`
            Some(text) => {
                let name = text.trim_matches(['\0', '\n']).split(' ').next().unwrap_or_default();
                Seen::Is(name.to_owned())
            }
            None => unseen("the kernel does not tell its AppArmor profile"),
        }
    }

    pub(crate) fn memory(self) -> Seen<Option<u64>> {
        self.group_file("memory", "memory.limit_in_bytes", "memory.max").map(|text| limit(&text))
    }

    pub(crate) fn pids(self) -> Seen<Option<u64>> {
        self.group_file("pids", "pids.max", "pids.max").map(|text| limit(&text))
    }

    pub(crate) fn cpu_millis(self) -> Seen<Option<u64>> {
        let share = |quota: &str, period: &str| {
            let (quota, period) = (quota.trim().parse::<u64>().ok()?, period.trim().parse::<u64>().ok()?);
            (period > 0).then(|| quota * 1000 / period)
        };
        match self.group_file("cpu", "cpu.cfs_quota_us", "cpu.max") {
            Seen::Is(text) => match text.trim().split_once(' ') {
                Some((quota, period)) => Seen::Is(share(quota, period)),
                None => {
                    self.group_file("cpu", "cpu.cfs_period_us", "cpu.max").map(|period| share(&text, &period))
                }
            },
            other => other.map(|_| None),
        }
    }

    /// The folder of its control group for a controller, and whether it is of the first version.
    pub(crate) fn group(self, controller: &str) -> Option<(PathBuf, bool)> {
        let text = self.text("cgroup")?;
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.splitn(3, ':').collect()).collect();
        let classic = lines
            .iter()
            .find(|line| line.get(1).is_some_and(|names| names.split(',').any(|name| name == controller)));
        let (folder, path, old) = match classic {
            Some(line) => (Path::new(CGROUPS).join(line[1]), *line.get(2)?, true),
            None => {
                let line = lines.iter().find(|line| line.first() == Some(&"0"))?;
                (PathBuf::from(CGROUPS), *line.get(2)?, false)
            }
        };
        Some((folder.join(path.trim_start_matches('/')), old))
    }

    fn group_file(self, controller: &str, classic: &str, unified: &str) -> Seen<String> {
        let read = self.group(controller).and_then(|(folder, old)| {
            system::kernel_text(&folder.join(if old { classic } else { unified }).to_string_lossy())
        });
        read.map_or_else(|| unseen("its control group cannot be seen from here"), Seen::Is)
    }

    /// Whether any of its control groups is named so.
    pub(crate) fn is_in_group(self, name: &str) -> bool {
        self.text("cgroup").is_some_and(|text| text.contains(name))
    }

    pub(crate) fn ulimits(self) -> Seen<Ulimits> {
        let Some(text) = self.text("limits") else { return unseen("the kernel does not tell its limits") };
        let named = |line: &str| {
            let (name, kernels) = ULIMITS.iter().find(|(_, kernels)| line.starts_with(kernels))?;
            let mut fields =
                line.strip_prefix(kernels)?.split_whitespace().map(|field| field.parse::<u64>().ok());
            Some(((*name).to_owned(), (fields.next()?, fields.next()?)))
        };
        Seen::Is(text.lines().filter_map(named).collect())
    }

    /// Whether its root refuses writes. Tried by removing a file that is not there: a root that can be written says
    /// so, one that cannot refuses before it looks, and nothing changes either way.
    pub(crate) fn root_refuses(self) -> Seen<bool> {
        let path = format!("/proc/{}/root/.seaworthy-{}", self.process, system::random_hexadecimal());
        match nix::unistd::unlink(Path::new(&path)) {
            Err(nix::errno::Errno::EROFS) => Seen::Is(true),
            Err(nix::errno::Errno::ENOENT) if Path::new(&format!("/proc/{}", self.process)).exists() => {
                Seen::Is(false)
            }
            Err(error) => Seen::Unseen(format!("not tried, its root cannot be reached: {}", error.desc())),
            Ok(()) => Seen::Is(false),
        }
    }

    /// The files that are there of `targets`, as the process sees them.
    pub(crate) fn files<'a>(self, targets: impl Iterator<Item = &'a str>) -> Seen<Vec<SeenFile>> {
        let root = match system::open(Path::new(&format!("/proc/{}/root", self.process))) {
            Ok(root) => root,
            Err(error) => return Seen::Unseen(format!("its files cannot be reached: {error}")),
        };
        let how =
            OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC).resolve(ResolveFlag::RESOLVE_IN_ROOT);
        let look = |target: &str| {
            let file = openat2(&root, target.trim_start_matches('/'), how).ok()?;
            let facts = fstat(&file).ok()?;
            let in_memory = fstatfs(&file).is_ok_and(|system| system.filesystem_type() == TMPFS_MAGIC);
            Some(SeenFile {
                target: target.to_owned(),
                mode: facts.st_mode & 0o7777,
                uid: self.inside("uid_map", facts.st_uid),
                gid: self.inside("gid_map", facts.st_gid),
                in_memory,
            })
        };
        Seen::Is(targets.filter_map(look).collect())
    }

    /// Whether what is mounted at a path refuses writes; `None` where nothing is mounted, or it cannot be seen.
    pub(crate) fn mounted_read_only(self, target: &str) -> Option<bool> {
        let text = self.text("mountinfo")?;
        let mounted = text.lines().rev().find_map(|line| {
            let mut fields = line.split(' ').skip(4);
            let (point, options) = (fields.next()?, fields.next()?);
            (point.trim_end_matches('/') == target.trim_end_matches('/')).then_some(options)
        });
        mounted.map(|options| options.split(',').any(|option| option == "ro"))
    }

    /// Whether its arguments or variables hold a text.
    pub(crate) fn arguments_hold(self, text: &str) -> bool {
        let bytes = system::kernel_bytes(&format!("/proc/{}/cmdline", self.process)).unwrap_or_default();
        bytes.windows(text.len().max(1)).any(|window| window == text.as_bytes())
    }
}

fn unseen<T>(why: &str) -> Seen<T> {
    Seen::Unseen(why.to_owned())
}

fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|number| *number < NO_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_told_as_it_is() {
        let me = Kernel::of(std::process::id());
        let (uid, gid) = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
        assert_eq!(me.user(), Seen::Is((me.inside("uid_map", uid), me.inside("gid_map", gid))));
        let Seen::Is(limits) = me.ulimits() else { panic!("its limits are told") };
        let (soft, hard) =
            nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).unwrap();
        assert_eq!(limits["nofile"], (Some(soft), Some(hard)));
        assert!(matches!(me.capabilities(), Seen::Is(_)));
        assert_eq!(me.no_new_privileges(), Seen::Is(nix::sys::prctl::get_no_new_privs().unwrap()));
    }

    #[test]
    fn what_is_gone_is_not_seen() {
        // Numbers of processes end at 2²².
        let nobody = Kernel::of(u32::MAX);
        assert!(matches!(nobody.user(), Seen::Unseen(_)));
        assert!(matches!(nobody.root_refuses(), Seen::Unseen(_)));
        assert!(matches!(nobody.memory(), Seen::Unseen(_)));
        assert!(matches!(nobody.files(["/etc"].into_iter()), Seen::Unseen(_)));
    }

    #[test]
    fn limits_that_are_none_are_told_as_none() {
        assert_eq!(limit("max\n"), None);
        assert_eq!(limit("9223372036854771712\n"), None);
        assert_eq!(limit("-1\n"), None);
        assert_eq!(limit("67108864\n"), Some(64 << 20));
    }
}
