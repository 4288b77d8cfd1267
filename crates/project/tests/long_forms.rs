//! Short forms mean what the Compose Specification says they mean.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]

use seaworthy_project::fixture::load_yaml;
use seaworthy_project::model::mount::MountKind;
use seaworthy_project::model::port::Protocol;
use seaworthy_project::model::service::Command;

#[test]
fn ports_are_expanded() {
    let project = load_yaml(
        "services:\n  web:\n    image: shop:1\n    ports: ['8080:80', '127.0.0.1:5000-5001:6000-6001/udp', '[::1]:90:91', 3000]\n",
    );
    let ports = &project.services().next().unwrap().ports;
    let seen: Vec<_> = ports
        .iter()
        .map(|port| {
            (port.value.host_ip.as_deref(), port.value.published, port.value.target, port.value.protocol)
        })
        .collect();
    assert_eq!(
        seen,
        [
            (None, Some(8080), 80, Protocol::Tcp),
            (Some("127.0.0.1"), Some(5000), 6000, Protocol::Udp),
            (Some("127.0.0.1"), Some(5001), 6001, Protocol::Udp),
            (Some("::1"), Some(90), 91, Protocol::Tcp),
            (None, None, 3000, Protocol::Tcp),
        ]
    );
    assert_eq!(project.sources.place(&ports[0].span), "compose.yaml:4:13");
}

#[test]
fn mounts_environment_and_commands() {
    let project = load_yaml(
        "services:\n  web:\n    image: shop:1\n    command: sh -c 'a b'\n    environment: [A=1, B]\n    volumes: ['data:/d', './x:/y:ro', '/anonymous']\n    tmpfs: /run\n    depends_on: [db]\n  db:\n    image: db\nvolumes: {data: }\n",
    );
    let web = project.services().next().unwrap();
    assert_eq!(
        web.command.as_ref().unwrap().value,
        Command::Words(vec!["sh".into(), "-c".into(), "a b".into()])
    );
    assert_eq!(web.environment["A"].value.as_ref().unwrap().reveal(), "1");
    assert!(web.environment["B"].value.is_none());
    let mounts: Vec<_> =
        web.mounts.iter().map(|mount| (mount.value.kind, mount.value.source.as_deref())).collect();
    assert_eq!(
        mounts,
        [
            (MountKind::Volume, Some("data")),
            (MountKind::Bind, Some("/srv/fixture/x")),
            (MountKind::Volume, None),
            (MountKind::Tmpfs, None),
        ]
    );
    assert!(!web.depends_on[0].explicit && web.depends_on[0].required);
    assert_eq!(project.volumes["data"].name, "fixture-production_data");
    assert_eq!(web.networks[0].value, "default");
}
