//! Facts of containers are what the kernel says, however they were promised.

use seaworthy_engine::{Engine, GrantedFile, Seen, SeenCapabilities, SeenFile, SeenMount, SeenUser};
use seaworthy_project::Sensitive;

use crate::bed::Bed;
use crate::keys::{answer, service, started};

#[tokio::test]
async fn facts_are_what_the_kernel_says() {
    let bed = Bed::new().await;
    let extra = "    user: sample\n    read_only: true\n    restart: on-failure:3\n    cap_drop: [ALL]\n    cap_add: [NET_BIND_SERVICE]\n    security_opt: ['no-new-privileges:true']\n    ulimits: { nofile: { soft: 1000, hard: 2000 } }\n    pids_limit: 50\n    mem_limit: 64m\n    cpus: 0.5\n    networks: [inner]\n    volumes:\n      - data:/data\n      - { type: volume, source: data, target: /shown, read_only: true }\n      - { type: tmpfs, target: /quick }\n";
    let mut case = bed.case_of(&service(extra, "volumes:\n  data:\nnetworks:\n  inner:\n")).await;
    case.revision.files = vec![GrantedFile {
        target: "/run/secrets/key".to_owned(),
        mode: Some(0o440),
        uid: None,
        gid: None,
        contents: Sensitive::new("canary-of-secrets"),
    }];
    let instance = started(&bed, &case).await;
    answer(&instance, "/").await;
    let facts = bed.engine.facts(&case.revision, &instance.id).await.unwrap();
    assert_eq!(facts.user, Seen::Is(SeenUser { uid: 1234, gid: 2345, promised: Some((1234, 2345)) }));
    assert_eq!((facts.read_only_root, facts.root_refuses), (Seen::Is(true), Seen::Is(true)));
    assert_eq!(facts.capabilities, Seen::Is(SeenCapabilities { effective: 0, bounding: 1 << 10 }));
    assert_eq!((facts.no_new_privileges, facts.seccomp), (Seen::Is(true), Seen::Is(true)));
    assert_eq!(facts.memory_bytes, Seen::Is(Some(64 << 20)));
    assert_eq!((facts.cpu_millis, facts.pids), (Seen::Is(Some(500)), Seen::Is(Some(50))));
    let Seen::Is(ulimits) = facts.ulimits else { panic!("the kernel tells limits") };
    assert_eq!(ulimits["nofile"], (Some(1000), Some(2000)));
    assert_eq!(facts.restart, Seen::Is("on-failure:3".to_owned()));
    assert_eq!(facts.networks, Seen::Is(vec![format!("{}_inner", bed.project)]), "our own is left out");
    let memory = is_in_memory(bed.folder.path());
    let file = SeenFile {
        target: "/run/secrets/key".to_owned(),
        mode: 0o440,
        uid: 1234,
        gid: 2345,
        in_memory: memory,
    };
    assert_eq!(facts.files, Seen::Is(vec![file]));
    let data = Some(format!("{}_data", bed.project));
    let mount = |target: &str, kind: &str, source: &Option<String>, read_only| SeenMount {
        target: target.to_owned(),
        kind: kind.to_owned(),
        source: source.clone(),
        read_only,
    };
    let mounts = vec![
        mount("/data", "volume", &data, false),
        mount("/quick", "tmpfs", &None, false),
        mount("/shown", "volume", &data, true),
    ];
    assert_eq!(facts.mounts, Seen::Is(mounts));
    assert_eq!(facts.exposed, Seen::Is(Vec::new()));
}

#[tokio::test]
async fn what_was_changed_behind_our_back_is_seen() {
    let bed = Bed::new().await;
    let yaml = "services:\n  sample:\n    image: IMAGE\n    command: [/testbed, serve, '200', canary-of-secrets]\n    expose: ['8080']\n    stop_grace_period: 1s\n    labels: { told: canary-of-secrets }\n    environment: { PORT: '8080', LISTEN: 0.0.0.0, TOKEN: canary-of-secrets }\n    mem_limit: 64m\n    memswap_limit: 64m\n";
    let mut case = bed.case_of(yaml).await;
    case.revision.files = vec![GrantedFile {
        target: "/run/secrets/key".to_owned(),
        mode: None,
        uid: None,
        gid: None,
        contents: Sensitive::new("canary-of-secrets"),
    }];
    let instance = started(&bed, &case).await;
    answer(&instance, "/").await;
    let name = format!("{}-sample-1-{}", bed.project, instance.id.revision);
    let other = format!("{}_other", bed.project);
    for words in [
        ["network", "create", &other].as_slice(),
        &["update", "--memory=32m", "--memory-swap=32m", &name],
        &["update", "--restart=always", &name],
        &["network", "connect", &other, &name],
    ] {
        let done = std::process::Command::new("docker").args(words).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let facts = bed.engine.facts(&case.revision, &instance.id).await.unwrap();
    assert_eq!(facts.root_refuses, Seen::Is(false));
    assert_eq!(facts.memory_bytes, Seen::Is(Some(32 << 20)));
    assert_eq!(facts.restart, Seen::Is("always".to_owned()));
    let Seen::Is(networks) = &facts.networks else { panic!("networks are told") };
    assert!(networks.contains(&other), "{networks:?}");
    let places = ["arguments", "label told", "variable TOKEN"].map(str::to_owned).to_vec();
    assert_eq!(facts.exposed, Seen::Is(places));
    let described = bed.engine.describe(&bed.project, &instance.id).await.unwrap();
    let variables = described.pointer("/Config/Env").unwrap().to_string();
    assert!(variables.contains("TOKEN=[redacted]") && !variables.contains("canary"), "{variables}");
}

fn is_in_memory(folder: &std::path::Path) -> bool {
    nix::sys::statfs::statfs(folder)
        .is_ok_and(|system| system.filesystem_type() == nix::sys::statfs::TMPFS_MAGIC)
}
