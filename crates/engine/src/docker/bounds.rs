//! Values that the daemon would refuse only when it makes a container: refused before anything is touched.

use seaworthy_project::{Service, Span};

use crate::EngineError;
use crate::docker::client::Client;

/// The least memory that a container can be given, in bytes (Docker Engine: 6 MiB, or it cannot even be begun).
const LEAST_MEMORY: u64 = 6 << 20;

/// Every capability of Linux (capabilities(7), `linux/capability.h` of 6.1).
const CAPABILITIES: [&str; 41] = [
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

/// Refuses a service with a value that is out of the daemon's bounds.
pub(super) fn look(client: &Client, service: &Service) -> Result<(), EngineError> {
    let fault = memory(service).or_else(|| processors(service, client.processors)).or_else(|| names(service));
    let Some(Fault { reason, hint, span }) = fault else { return Ok(()) };
    Err(EngineError::NotRunnable { service: service.name.value.to_string(), reason, hint, span })
}

struct Fault {
    reason: String,
    hint: String,
    span: Option<Span>,
}

fn memory(service: &Service) -> Option<Fault> {
    let limit = service.memory_limit().filter(|limit| limit.0 < LEAST_MEMORY)?;
    let place = service.deploy.limits.memory.as_ref().map(|memory| memory.span);
    Some(Fault {
        reason: format!("has a memory limit of {limit}, and Docker gives no container less than 6 MiB"),
        hint: "raise it; without a unit it counts bytes: `512m` is 512 MiB".to_owned(),
        span: place.or_else(|| Some(service.node.get("mem_limit")?.span)),
    })
}

fn processors(service: &Service, there: Option<u64>) -> Option<Fault> {
    let there = there?;
    let limit = service.cpu_limit().filter(|limit| limit.millis > there * 1000)?;
    let place = service.deploy.limits.cpus.as_ref().map(|cpus| cpus.span);
    Some(Fault {
        reason: format!(
            "has a limit of {limit} processors, and the machine has {there}: Docker makes no such container"
        ),
        hint: format!(
            "write {there} or less for this environment, or take the limit away: it is as good as none"
        ),
        span: place.or_else(|| Some(service.node.get("cpus")?.span)),
    })
}

fn names(service: &Service) -> Option<Fault> {
    let items = service.cap_add.iter().chain(&service.cap_drop);
    let wrong = items.into_iter().find(|item| !is_known(&item.value))?;
    let name = bare(&wrong.value);
    let near = CAPABILITIES.iter().min_by_key(|known| distance(known, &name));
    Some(Fault {
        reason: format!("names the capability `{}`, which Linux does not have", wrong.value),
        hint: match near.filter(|known| distance(known, &name) <= 3) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "names are as in capabilities(7), such as `NET_BIND_SERVICE`".to_owned(),
        },
        span: Some(wrong.span),
    })
}

fn is_known(name: &str) -> bool {
    let name = bare(name);
    name == "ALL" || CAPABILITIES.contains(&name.as_str())
}

fn bare(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    name.strip_prefix("CAP_").map(str::to_owned).unwrap_or(name)
}

/// How many characters differ, counted from both ends: enough to find a slip.
fn distance(known: &str, name: &str) -> usize {
    let same = |one: &mut dyn Iterator<Item = (char, char)>| one.take_while(|(a, b)| a == b).count();
    let front = same(&mut known.chars().zip(name.chars()));
    let back = same(&mut known.chars().rev().zip(name.chars().rev()));
    let longer = known.len().max(name.len());
    longer.saturating_sub((front + back).min(longer))
}

#[cfg(test)]
mod tests {
    use seaworthy_project::fixture::load_yaml;

    use super::*;

    fn fault_of(extra: &str) -> Option<String> {
        let project = load_yaml(&format!("services:\n  web:\n    image: x\n{extra}"));
        let service = project.services.values().next().expect("one service");
        let fault = memory(service).or_else(|| processors(service, Some(2))).or_else(|| names(service))?;
        assert!(fault.span.is_some(), "{extra}");
        Some(format!("{} {}", fault.reason, fault.hint))
    }

    #[test]
    fn what_docker_would_refuse_is_found_with_its_place() {
        let cases = [
            ("    mem_limit: 1k\n", "6 MiB"),
            ("    deploy: { resources: { limits: { memory: '512' } } }\n", "6 MiB"),
            ("    cpus: 1000\n", "the machine has 2"),
            ("    deploy: { resources: { limits: { cpus: '2.5' } } }\n", "2.5 processors"),
            ("    cap_add: [NOPE]\n", "capabilities(7)"),
            ("    cap_add: [NET_BIND_SERVICES]\n", "did you mean `NET_BIND_SERVICE`?"),
            ("    cap_drop: [cap_chwon]\n", "did you mean `CHOWN`?"),
        ];
        for (extra, word) in cases {
            let told = fault_of(extra).expect(extra);
            assert!(told.contains(word), "{extra}: {told}");
        }
        let fine = "    mem_limit: 6m\n    cpus: 2\n    cap_add: [cap_sys_time]\n    cap_drop: [all]\n";
        assert_eq!(fault_of(fine), None);
    }
}
