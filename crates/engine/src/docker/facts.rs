//! What holds for a container: what the daemon was told, and what the kernel says of its main process.

use std::collections::HashMap;

use bollard::models::{ContainerInspectResponse, HostConfig, MountPoint, RestartPolicyNameEnum as Name};
use bollard::query_parameters::InspectContainerOptions;

use crate::docker::client::{Client, refused};
use crate::docker::options::DockerOptions;
use crate::docker::{files, images, ingress, observe};
use crate::facts::{Facts, Seen, SeenMount, SeenUser};
use crate::kernel::Kernel;
use crate::{EngineError, InstanceId, InstanceState, Revision};

/// Shorter contents of a granted file may stand anywhere by chance.
const SHORTEST: usize = 6;

/// Looks at an instance. `revision` says where to look, never what to find.
pub(super) async fn of(
    client: &Client,
    options: &DockerOptions,
    revision: &Revision,
    id: &InstanceId,
) -> Result<Facts, EngineError> {
    let found = observe::find(client, &revision.project, id).await?;
    let found = found.ok_or_else(|| EngineError::NoInstance { instance: id.to_string() })?;
    if found.instance.state != InstanceState::Running {
        return Ok(Facts::unseen("it does not run"));
    }
    let seen = client.api.inspect_container(&found.id, None::<InspectContainerOptions>).await;
    let seen = seen.map_err(refused(format!("look at {id}")))?;
    let kernel = kernel(options, &found.id, found.instance.process);
    let mut facts = match kernel {
        Some(kernel) => of_process(client, revision, &found.id, kernel).await?,
        None => Facts::unseen("its main process is not one of this machine that this user may look at"),
    };
    if !client.filters_calls {
        facts.seccomp = Seen::NotCarried;
    }
    if !client.has_apparmor {
        facts.apparmor = Seen::NotCarried;
    } else if let (Seen::Unseen(_), Some(profile)) = (&facts.apparmor, &seen.app_armor_profile) {
        facts.apparmor = Seen::Is(profile.clone());
    }
    facts.artifact = artifact(client, revision, &seen).await?;
    facts.exposed = Seen::Is(exposed(revision, &seen, kernel));
    let folder = files::folder(options, &revision.project, id).display().to_string();
    let networks = seen.network_settings.as_ref().and_then(|settings| settings.networks.clone());
    let networks = networks.unwrap_or_default().into_keys().filter(|name| name != ingress::NAME);
    facts.networks = Seen::Is(sorted(networks.collect()));
    let host = seen.host_config.clone().unwrap_or_default();
    facts.read_only_root = Seen::Is(host.readonly_rootfs == Some(true));
    facts.restart = Seen::Is(restart(&host));
    facts.published = Seen::Is(published(&seen));
    facts.mounts = Seen::Is(mounts(&seen, &host, &folder, kernel));
    Ok(facts)
}

/// The main process of a container, when it is one of this machine's: its control groups carry the container's id.
fn kernel(options: &DockerOptions, container: &str, process: Option<u32>) -> Option<Kernel> {
    let kernel = Kernel::of(process.filter(|_| options.place.is_here())?);
    kernel.is_in_group(container).then_some(kernel)
}

async fn of_process(
    client: &Client,
    revision: &Revision,
    container: &str,
    kernel: Kernel,
) -> Result<Facts, EngineError> {
    let promised = match &revision.service.user {
        Some(user) => Some(files::owner(client, container, &user.value).await?),
        None => None,
    };
    Ok(Facts {
        user: kernel.user().map(|(uid, gid)| SeenUser { uid, gid, promised }),
        root_refuses: kernel.root_refuses(),
        capabilities: kernel.capabilities(),
        no_new_privileges: kernel.no_new_privileges(),
        seccomp: kernel.seccomp(),
        apparmor: kernel.apparmor(),
        memory_bytes: kernel.memory(),
        cpu_millis: kernel.cpu_millis(),
        pids: kernel.pids(),
        ulimits: kernel.ulimits(),
        files: kernel.files(revision.files.iter().map(|file| file.target.as_str())),
        ..Facts::unseen("")
    })
}

/// The release's own pin, when the image of the container has it; else the image's id.
async fn artifact(
    client: &Client,
    revision: &Revision,
    seen: &ContainerInspectResponse,
) -> Result<Seen<String>, EngineError> {
    let Some(id) = &seen.image else {
        return Ok(Seen::Unseen("the engine does not tell its image".to_owned()));
    };
    let pin = &revision.artifact.digest;
    if id == pin {
        return Ok(Seen::Is(pin.clone()));
    }
    // What the image was pulled as may be forgotten; the name it is kept under is not.
    let kept = images::find(client, &images::kept_name(&revision.project, &revision.artifact)).await?;
    let same = kept.is_some_and(|kept| kept.id.as_ref() == Some(id));
    Ok(Seen::Is(if same { pin.clone() } else { id.clone() }))
}

fn exposed(revision: &Revision, seen: &ContainerInspectResponse, kernel: Option<Kernel>) -> Vec<String> {
    let config = seen.config.clone().unwrap_or_default();
    let mut places = Vec::new();
    for file in &revision.files {
        let contents = file.contents.reveal().trim();
        if contents.len() < SHORTEST {
            continue;
        }
        let variables = config.env.iter().flatten().filter_map(|line| line.split_once('='));
        let named = variables.filter(|(_, value)| value.contains(contents));
        places.extend(named.map(|(name, _)| format!("variable {name}")));
        let labels = config.labels.iter().flatten().filter(|(_, value)| value.contains(contents));
        places.extend(labels.map(|(name, _)| format!("label {name}")));
        let words = config.cmd.iter().flatten().chain(config.entrypoint.iter().flatten());
        let told = words.chain(seen.args.iter().flatten()).any(|word| word.contains(contents));
        if told || kernel.is_some_and(|kernel| kernel.arguments_hold(contents)) {
            places.push("arguments".to_owned());
        }
    }
    sorted(places)
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

fn restart(host: &HostConfig) -> String {
    let policy = host.restart_policy.clone().unwrap_or_default();
    match (policy.name, policy.maximum_retry_count) {
        (Some(Name::ALWAYS), _) => "always".to_owned(),
        (Some(Name::UNLESS_STOPPED), _) => "unless-stopped".to_owned(),
        (Some(Name::ON_FAILURE), Some(count @ 1..)) => format!("on-failure:{count}"),
        (Some(Name::ON_FAILURE), _) => "on-failure".to_owned(),
        _ => "no".to_owned(),
    }
}

fn published(seen: &ContainerInspectResponse) -> Vec<String> {
    let ports =
        seen.network_settings.as_ref().and_then(|settings| settings.ports.clone()).unwrap_or_default();
    let line = |(inside, bindings): (String, Option<Vec<bollard::models::PortBinding>>)| {
        bindings.unwrap_or_default().into_iter().map(move |binding| {
            let port = binding.host_port.unwrap_or_default();
            format!(
                "{inside} → {}:{port}",
                binding.host_ip.filter(|ip| !ip.is_empty()).unwrap_or("0.0.0.0".to_owned())
            )
        })
    };
    sorted(ports.into_iter().flat_map(line).collect())
}

fn mounts(
    seen: &ContainerInspectResponse,
    host: &HostConfig,
    files: &str,
    kernel: Option<Kernel>,
) -> Vec<SeenMount> {
    let read_only =
        |target: &str, told: bool| kernel.and_then(|kernel| kernel.mounted_read_only(target)).unwrap_or(told);
    let mount = |mount: &MountPoint| {
        let target = mount.destination.clone()?;
        let (kind, source) = match mount.typ.as_deref() {
            Some("volume") => ("volume", mount.name.clone()),
            Some("bind") => ("bind", mount.source.clone()),
            Some("tmpfs") => ("tmpfs", None),
            _ => return None,
        };
        let ours = kind == "bind" && source.as_ref().is_some_and(|source| source.starts_with(files));
        let read_only = read_only(&target, mount.rw == Some(false));
        (!ours).then(|| SeenMount { target, kind: kind.to_owned(), source, read_only })
    };
    let mut mounts: Vec<SeenMount> = seen.mounts.iter().flatten().filter_map(mount).collect();
    let tmpfs: HashMap<String, String> = host.tmpfs.clone().unwrap_or_default();
    mounts.extend(tmpfs.into_iter().map(|(target, options)| SeenMount {
        read_only: read_only(&target, options.split(',').any(|option| option == "ro")),
        target,
        kind: "tmpfs".to_owned(),
        source: None,
    }));
    mounts.sort_by(|one, other| one.target.cmp(&other.target));
    mounts
}
