//! What a plain process cannot have, and what happens instead.

use seaworthy_project::model::mount::MountKind;
use seaworthy_project::{Loss, Project, Service, Span};

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
    if let Some(logging) = service.node.get("logging") {
        lose("logging", Some(logging.span), "logs are kept by the shim: 10 MB, three files");
    }
    losses
}
