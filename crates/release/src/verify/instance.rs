//! The promises about one instance.

use seaworthy_engine::{Facts, GrantedFile, Revision, Seen, SeenFile, SeenMount, restart_of};
use seaworthy_project::model::mount::{Mount, MountKind};
use seaworthy_project::model::port::Protocol;
use seaworthy_project::{Bytes, Node, Service};

use super::capabilities::{Promised, names};
use super::{Ledger, Promise};

/// The permissions of a granted file when nothing is said.
const DEFAULT_MODE: u32 = 0o400;
/// What is added where its owner cannot be set; the folder above keeps everybody else out.
const READ_BY_ALL: u32 = 0o444;

/// Enters every promise that a revision makes about an instance.
pub(super) fn hold(ledger: &mut Ledger<'_>, revision: &Revision, facts: &Facts) {
    let pin = &revision.artifact.digest;
    ledger.hold(
        Promise::OtherArtifact,
        &["image", "build", "x-seaworthy.process", ""],
        pin,
        &facts.artifact,
        |seen| (seen != pin).then(|| seen.clone()),
    );
    rights(ledger, &revision.service, facts);
    limits(ledger, &revision.service, facts);
    ulimits(ledger, &revision.service, facts);
    files(ledger, revision, facts);
    mounts(ledger, revision, facts);
    networks(ledger, revision, facts);
    let meant = published(&revision.service);
    let told = if meant.is_empty() { "the engine publishes none".to_owned() } else { meant.join(", ") };
    ledger.hold(Promise::UnmeantPort, &["ports", ""], told, &facts.published, |seen| {
        let unmeant: Vec<&str> =
            seen.iter().filter(|port| !meant.contains(port)).map(String::as_str).collect();
        (!unmeant.is_empty()).then(|| unmeant.join(", "))
    });
    let restart = restart_of(&revision.service);
    let keys = ["deploy.restart_policy", "restart", ""];
    ledger.hold(Promise::OtherRestartPolicy, &keys, &restart, &facts.restart, |seen| {
        (*seen != restart).then(|| seen.clone())
    });
}

fn rights(ledger: &mut Ledger<'_>, service: &Service, facts: &Facts) {
    if let Some(user) = &service.user {
        let numbers = |text: &str| {
            let (user, group) = text.split_once(':').unwrap_or((text, ""));
            (user.parse::<u32>().ok(), group.parse::<u32>().ok())
        };
        ledger.hold(Promise::OtherUser, &["user"], &user.value, &facts.user, |seen| {
            let (uid, gid) = numbers(&user.value);
            let uid = uid.or(seen.promised.map(|(uid, _)| uid));
            // An image that is told to start as root may give that up by itself.
            let same_user = uid.is_none_or(|uid| uid == seen.uid || uid == 0);
            let same_group = gid.is_none_or(|gid| gid == seen.gid || uid == Some(0));
            (!same_user || !same_group).then(|| format!("{}:{}", seen.uid, seen.gid))
        });
    }
    if service.read_only.as_ref().is_some_and(|read_only| read_only.value) {
        ledger.hold(
            Promise::WritableRoot,
            &["read_only"],
            "told to the engine",
            &facts.read_only_root,
            |set| (!set).then(|| "not told to it".to_owned()),
        );
        ledger.hold(
            Promise::WritableRoot,
            &["read_only"],
            "a write is refused",
            &facts.root_refuses,
            |refuses| (!refuses).then(|| "a write would be done".to_owned()),
        );
    }
    let promised = Promised::of(service);
    let keys = ["cap_add", "cap_drop", "privileged", ""];
    ledger.hold(Promise::ExtraCapability, &keys, names(promised.most), &facts.capabilities, |seen| {
        let extra = (seen.effective | seen.bounding) & !promised.most;
        (extra != 0).then(|| format!("{} too", names(extra)))
    });
    if promised.least != 0 {
        ledger.hold(Promise::MissingCapability, &keys, names(promised.least), &facts.capabilities, |seen| {
            let missing = promised.least & !seen.bounding;
            (missing != 0).then(|| format!("without {}", names(missing)))
        });
    }
    let says =
        |wanted: &str| service.security_opt.iter().any(|option| option.value.replace('=', ":") == wanted);
    if says("no-new-privileges") || says("no-new-privileges:true") {
        ledger.hold(
            Promise::PrivilegesCanGrow,
            &["security_opt"],
            "no new privileges",
            &facts.no_new_privileges,
            |set| (!set).then(|| "its processes can gain some".to_owned()),
        );
    }
    confinement(ledger, service, facts);
}

fn confinement(ledger: &mut Ledger<'_>, service: &Service, facts: &Facts) {
    let says =
        |wanted: &str| service.security_opt.iter().any(|option| option.value.replace('=', ":") == wanted);
    let privileged = service.privileged.as_ref().is_some_and(|privileged| privileged.value);
    if !privileged && !says("seccomp:unconfined") {
        ledger.hold(
            Promise::UnfilteredSystemCalls,
            &["security_opt", ""],
            "system calls are filtered",
            &facts.seccomp,
            |set| (!set).then(|| "they are not".to_owned()),
        );
    }
    if !privileged && !says("apparmor:unconfined") {
        ledger.hold(
            Promise::MissingAppArmorProfile,
            &["security_opt", ""],
            "an AppArmor profile",
            &facts.apparmor,
            |profile| (profile.is_empty() || profile == "unconfined").then(|| "it is unconfined".to_owned()),
        );
    }
}

fn limits(ledger: &mut Ledger<'_>, service: &Service, facts: &Facts) {
    let pids = service.deploy.limits.pids.as_ref().map(|pids| pids.value);
    let pids = pids.or_else(|| service.node.get("pids_limit")?.text()?.parse().ok());
    let pids = pids.and_then(|pids| u64::try_from(pids).ok()).filter(|pids| *pids > 0);
    let mut hold = |promised: Option<u64>, seen, keys: [&str; 2], told: fn(u64) -> String| {
        let Some(promised) = promised else { return };
        ledger.hold(Promise::LimitNotKept, &keys, told(promised), seen, |seen| match seen {
            Some(seen) if is_kept(*seen, promised) => None,
            Some(seen) => Some(told(*seen)),
            None => Some("no limit".to_owned()),
        });
    };
    let memory = service.memory_limit().map(|memory| memory.0);
    hold(memory, &facts.memory_bytes, ["deploy.resources.limits.memory", "mem_limit"], |bytes| {
        format!("at most {} of memory", Bytes(bytes))
    });
    let millis = service.cpu_limit().map(|cpus| cpus.millis);
    hold(millis, &facts.cpu_millis, ["deploy.resources.limits.cpus", "cpus"], |millis| {
        format!("at most {} processors", millis as f64 / 1000.0)
    });
    hold(pids, &facts.pids, ["deploy.resources.limits.pids", "pids_limit"], |pids| {
        format!("at most {pids} processes")
    });
}

/// The kernel rounds to whole pages of memory, and shares of time to microseconds.
fn is_kept(seen: u64, promised: u64) -> bool {
    const PAGE: u64 = 64 << 10;
    seen == promised || (promised > PAGE && seen.abs_diff(promised) < PAGE && promised > (1 << 20))
}

fn ulimits(ledger: &mut Ledger<'_>, service: &Service, facts: &Facts) {
    for entry in service.node.get("ulimits").map(Node::entries).unwrap_or_default() {
        let number =
            |node: Option<&Node>| node.and_then(Node::text).and_then(|text| text.parse::<i64>().ok());
        let single = number(Some(&entry.node));
        let (soft, hard) =
            (single.or(number(entry.node.get("soft"))), single.or(number(entry.node.get("hard"))));
        let name = entry.key.value.as_str();
        let wished = |said: Option<i64>| said.map(|said| u64::try_from(said).ok());
        let text = |limit: Option<Option<u64>>| match limit {
            Some(Some(number)) => number.to_string(),
            Some(None) => "no limit".to_owned(),
            None => "any".to_owned(),
        };
        let promised = format!("{name} {} soft, {} hard", text(wished(soft)), text(wished(hard)));
        ledger.hold(
            Promise::OtherUlimit,
            &[&format!("ulimits.{name}"), "ulimits"],
            promised,
            &facts.ulimits,
            |seen| {
                let seen = seen.get(name);
                let same = seen.is_some_and(|(seen_soft, seen_hard)| {
                    wished(soft).is_none_or(|soft| soft == *seen_soft)
                        && wished(hard).is_none_or(|hard| hard == *seen_hard)
                });
                let told = seen.map_or("nothing is known".to_owned(), |(soft, hard)| {
                    format!("{} soft, {} hard", text(Some(*soft)), text(Some(*hard)))
                });
                (!same).then_some(told)
            },
        );
    }
}

fn files(ledger: &mut Ledger<'_>, revision: &Revision, facts: &Facts) {
    let service = &revision.service;
    let owner = match &facts.user {
        Seen::Is(user) => user.promised.filter(|_| service.user.is_some()),
        _ => None,
    };
    for file in &revision.files {
        let secret = service.secrets.iter().any(|grant| grant.value.target == file.target);
        let key = if secret { "secrets" } else { "configs" };
        let mode = file.mode.unwrap_or(DEFAULT_MODE);
        let place = if secret { " in memory" } else { "" };
        let promised = format!("`{}` with mode {mode:04o}{place}", file.target);
        ledger.hold(Promise::MisplacedSecret, &[key], promised, &facts.files, |seen| {
            match seen.iter().find(|seen| seen.target == file.target) {
                None => Some("it is not there".to_owned()),
                Some(seen) => misplaced(seen, file, mode, secret, owner),
            }
        });
    }
    if !revision.files.is_empty() {
        ledger.hold(
            Promise::ExposedSecret,
            &["secrets", "configs"],
            "their contents stand in their files alone",
            &facts.exposed,
            |seen| {
                // What the user wrote into the environment was not ours to hide.
                let own = |place: &&String| {
                    let variable = place.strip_prefix("variable ");
                    let label = place.strip_prefix("label ");
                    variable.is_some_and(|name| service.environment.contains_key(name))
                        || label.is_some_and(|name| service.labels.contains_key(name))
                };
                let places: Vec<&str> = seen.iter().filter(|place| !own(place)).map(String::as_str).collect();
                (!places.is_empty()).then(|| format!("also in {}", places.join(", ")))
            },
        );
    }
}

fn misplaced(
    seen: &SeenFile,
    file: &GrantedFile,
    mode: u32,
    secret: bool,
    owner: Option<(u32, u32)>,
) -> Option<String> {
    let uid = file.uid.or(owner.map(|(uid, _)| uid));
    let given = uid.is_none_or(|uid| uid == seen.uid);
    // Who is not root cannot give files away: then they are readable, in a folder that is not.
    let readable_instead = file.uid.is_none() && seen.mode == mode | READ_BY_ALL;
    if !given && !readable_instead {
        return Some(format!("it belongs to user {}", seen.uid));
    }
    if seen.mode != mode && !readable_instead {
        return Some(format!("its mode is {:04o}", seen.mode));
    }
    (secret && !seen.in_memory).then(|| "it lies on a disk".to_owned())
}

fn mounts(ledger: &mut Ledger<'_>, revision: &Revision, facts: &Facts) {
    let trimmed = |target: &str| target.trim_end_matches('/').to_owned();
    let promised: Vec<&Mount> = revision.service.mounts.iter().map(|mount| &mount.value).collect();
    for mount in promised.iter().filter(|mount| mount.kind != MountKind::Other) {
        let access = if mount.read_only { "read-only" } else { "writable" };
        let (kind, source) = kind_and_source(mount, revision);
        let from = source.as_ref().map_or(String::new(), |source| format!(" `{source}`"));
        let told = format!("{kind}{from} at `{}`, {access}", mount.target);
        ledger.hold(Promise::OtherMount, &["volumes", "tmpfs"], told, &facts.mounts, |seen| {
            let Some(seen) = seen.iter().find(|seen| trimmed(&seen.target) == trimmed(&mount.target)) else {
                return Some("nothing is mounted there".to_owned());
            };
            let same_source =
                source.is_none() || source.as_deref().map(trimmed) == seen.source.as_deref().map(trimmed);
            let same = seen.kind == kind && same_source && seen.read_only == mount.read_only;
            (!same).then(|| shown(seen))
        });
    }
    ledger.hold(
        Promise::OtherMount,
        &["volumes", "tmpfs", ""],
        "no other folder of the host",
        &facts.mounts,
        |seen| {
            let known = |seen: &&SeenMount| {
                promised.iter().any(|mount| trimmed(&mount.target) == trimmed(&seen.target))
            };
            let other: Vec<String> =
                seen.iter().filter(|seen| seen.kind == "bind" && !known(seen)).map(shown).collect();
            let from_others = revision.service.node.get("volumes_from").is_some();
            (!other.is_empty() && !from_others).then(|| other.join(", "))
        },
    );
}

fn kind_and_source(mount: &Mount, revision: &Revision) -> (&'static str, Option<String>) {
    match mount.kind {
        MountKind::Bind => ("bind", mount.source.clone()),
        MountKind::Volume => {
            let volume = mount.source.as_ref().map(|source| {
                let known = revision.volumes.iter().find(|volume| &volume.key.value == source);
                known.map_or_else(|| source.clone(), |volume| volume.name.clone())
            });
            ("volume", volume)
        }
        MountKind::Tmpfs | MountKind::Other => ("tmpfs", None),
    }
}

fn shown(seen: &SeenMount) -> String {
    let access = if seen.read_only { "read-only" } else { "writable" };
    let from = seen.source.as_ref().map_or(String::new(), |source| format!(" `{source}`"));
    format!("{}{from} at `{}`, {access}", seen.kind, seen.target)
}

fn networks(ledger: &mut Ledger<'_>, revision: &Revision, facts: &Facts) {
    let service = &revision.service;
    let mut promised: Vec<String> = match service.network_mode.as_ref().map(|mode| mode.value.as_str()) {
        Some(mode @ ("host" | "none")) => vec![mode.to_owned()],
        // It has those of another container, which are that one's promise.
        Some(_) => return,
        None => service.networks.iter().map(|network| name_of(&network.value, revision)).collect(),
    };
    promised.sort();
    ledger.hold(
        Promise::OtherNetwork,
        &["networks", "network_mode", ""],
        promised.join(", "),
        &facts.networks,
        |seen| (*seen != promised).then(|| if seen.is_empty() { "none".to_owned() } else { seen.join(", ") }),
    );
}

fn name_of(key: &str, revision: &Revision) -> String {
    let known = revision.networks.iter().find(|known| known.key.value == key);
    known.map_or_else(|| format!("{}_{key}", revision.project), |known| known.name.clone())
}

/// The ports that are the engine's to publish: those of every protocol but TCP, as the engine tells them.
fn published(service: &Service) -> Vec<String> {
    let ports = service.ports.iter().map(|port| &port.value).filter(|port| port.protocol != Protocol::Tcp);
    ports
        .filter_map(|port| {
            let published = port.published?;
            let told = |ip: &str| format!("{}/{} → {ip}:{published}", port.target, port.protocol);
            Some(match port.host_ip.as_deref() {
                Some(ip) => vec![told(ip.trim_matches(['[', ']']))],
                None => vec![told("0.0.0.0"), told("::")],
            })
        })
        .flatten()
        .collect()
}
