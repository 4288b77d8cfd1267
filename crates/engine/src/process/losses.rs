//! What a plain process cannot have, and what happens instead.

use seaworthy_project::model::mount::MountKind;
use seaworthy_project::model::port::Protocol;
use seaworthy_project::{Loss, Project, Service, Span};

/// Keys that have no meaning for a plain process, and what happens instead.
const IGNORED: [(&str, &str); 25] = [
    ("cgroup", SHARED),
    ("cgroup_parent", "control groups are made below `seaworthy`"),
    ("cpuset", "the kernel chooses among all processors"),
    ("device_cgroup_rules", DEVICES),
    ("devices", DEVICES),
    ("dns", NETWORK),
    ("dns_search", NETWORK),
    ("domainname", NETWORK),
    ("extra_hosts", NETWORK),
    ("gpus", DEVICES),
    ("group_add", "a plain process has the group of its user alone"),
    ("hostname", NETWORK),
    ("ipc", SHARED),
    ("links", NETWORK),
    ("mac_address", NETWORK),
    ("network_mode", NETWORK),
    ("oom_score_adj", "the kernel weighs it like any other process"),
    ("pid", SHARED),
    ("runtime", "no container runtime takes part"),
    ("shm_size", "a plain process uses the machine's own shared memory"),
    ("sysctls", "the machine's own kernel settings hold"),
    ("ulimits", "the limits of the user who deploys hold"),
    ("userns_mode", SHARED),
    ("volumes_from", "no volume of another service is mounted"),
    ("working_dir", "it starts in the project folder"),
];
const SHARED: &str = "a plain process shares the namespaces of the machine";
const NETWORK: &str = "a plain process has the network and the names of the machine";
const DEVICES: &str = "a plain process may use the devices that its user may";

/// Everything of the project that this engine cannot express.
pub(super) fn of(project: &Project) -> Vec<Loss> {
    project.services().flat_map(of_service).collect()
}

fn of_service(service: &Service) -> Vec<Loss> {
    let mut losses = Vec::new();
    let name = &service.name.value;
    let mut lose = |key: &str, span: Option<Span>, instead: &str| {
        losses.push(Loss { key: format!("services.{name}.{key}"), span, instead: instead.to_owned() });
    };
    if let Some(read_only) = service.read_only.as_ref().filter(|read_only| read_only.value) {
        lose(
            "read_only",
            Some(read_only.span),
            "a plain process sees the machine's own root, as its user may write it",
        );
    }
    if let Some(first) = service.cap_drop.first() {
        lose(
            "cap_drop",
            Some(first.span),
            "a plain process has the capabilities of its user: none, unless it is root",
        );
    }
    if let Some(first) = service.cap_add.first() {
        lose("cap_add", Some(first.span), "a plain process gets no capability beyond its user's");
    }
    let options = service.security_opt.iter();
    if let Some(other) = options.into_iter().find(|option| !option.value.starts_with("no-new-privileges")) {
        lose("security_opt", Some(other.span), "of these only `no-new-privileges` is kept");
    }
    if let Some(user) = &service.user
        && !nix::unistd::geteuid().is_root()
    {
        lose(
            "user",
            Some(user.span),
            "only root can start processes as somebody else: it runs as the user who deploys",
        );
    }
    if service.networks.len() > 1 || service.networks.iter().any(|network| network.value != "default") {
        let span = service.networks.first().map(|network| network.span);
        lose(
            "networks",
            span,
            "plain processes share the machine's network, and find no other service by its name",
        );
    }
    if let Some(bind) = service.mounts.iter().find(|mount| mount.value.kind == MountKind::Bind) {
        lose("volumes", Some(bind.span), "a bind mount is used in place and not kept with the release");
    }
    if let Some(port) = service.ports.iter().find(|port| port.value.protocol != Protocol::Tcp) {
        lose(
            "ports",
            Some(port.span),
            "only TCP ports are given an address; others the program must open by itself",
        );
    }
    if service.privileged.as_ref().is_some_and(|privileged| privileged.value) {
        let span = service.privileged.as_ref().map(|privileged| privileged.span);
        lose("privileged", span, "a plain process has the rights of its user and no more");
    }
    for (key, instead) in IGNORED {
        if let Some(node) = service.node.get(key).filter(|node| !node.is_null()) {
            lose(key, Some(node.span), instead);
        }
    }
    if let Some(logging) = service.node.get("logging") {
        lose("logging", Some(logging.span), "logs are kept by the shim: three files of 10 MB");
    }
    losses
}
