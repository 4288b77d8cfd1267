//! What the file says of a service holds inside its container.

use std::collections::HashMap;

use bollard::models::{ContainerInspectResponse, RestartPolicyNameEnum};
use bollard::query_parameters::InspectContainerOptions;
use seaworthy_engine::contract::Case;
use seaworthy_engine::{Engine, GrantedFile, Instance, Probe, Slot};
use seaworthy_project::Sensitive;
use seaworthy_project::model::healthcheck::HealthTest;
use std::time::Duration;

use crate::bed::Bed;

const SERVES: &str = "    image: IMAGE\n    command: [/testbed, serve, '200']\n    expose: ['8080']\n    stop_grace_period: 1s\n    environment: { PORT: '8080', LISTEN: 0.0.0.0, SECRET_FILE: /run/secrets/key }\n";

pub(crate) fn service(extra: &str, rest: &str) -> String {
    format!("services:\n  sample:\n{SERVES}{extra}{rest}")
}

pub(crate) async fn started(bed: &Bed, case: &Case) -> Instance {
    bed.engine.prepare(&case.revision).await.unwrap();
    bed.engine.ensure(&case.revision, Slot::first(1).next().unwrap()).await.unwrap()
}

pub(crate) async fn inspected(bed: &Bed, case: &Case, instance: &Instance) -> ContainerInspectResponse {
    let id = &instance.id;
    let name = format!("{}-{}-{}-{}", case.revision.project, id.service, id.slot, id.revision);
    bed.api.inspect_container(&name, None::<InspectContainerOptions>).await.unwrap()
}

/// Asks over HTTP until it answers, and gives the body.
pub(crate) async fn answer(instance: &Instance, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let asked = async {
            let mut stream = tokio::net::TcpStream::connect(instance.addresses[0].1).await?;
            stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await?;
            let mut text = String::new();
            stream.read_to_string(&mut text).await?;
            Ok::<_, std::io::Error>(text)
        };
        match asked.await {
            Ok(text) => return text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or(text),
            Err(error) => assert!(tokio::time::Instant::now() < deadline, "no answer: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_the_file_says_is_what_the_engine_was_told() {
    let bed = Bed::new().await;
    let extra = "    hostname: box\n    user: '1234:2345'\n    working_dir: /tmp\n    read_only: true\n    init: true\n    restart: on-failure:3\n    stop_signal: SIGINT\n    cap_drop: [ALL]\n    cap_add: [NET_BIND_SERVICE]\n    security_opt: ['no-new-privileges:true', 'seccomp:unconfined']\n    tmpfs: ['/scratch:size=1m,mode=1777']\n    shm_size: 32m\n    ulimits: { nofile: { soft: 1000, hard: 2000 }, nproc: 500 }\n    sysctls: { net.core.somaxconn: '256' }\n    extra_hosts: ['somewhere:10.1.2.3']\n    dns: [10.9.9.9]\n    dns_search: [example.com]\n    group_add: ['44']\n    pids_limit: 50\n    mem_limit: 64m\n    mem_reservation: 32m\n    cpus: 0.5\n    cpu_shares: 200\n    oom_score_adj: 100\n    labels: { mine: yes }\n    logging: { driver: json-file, options: { max-size: 1m, max-file: '2' } }\n    volumes:\n      - data:/data\n      - { type: tmpfs, target: /quick, tmpfs: { size: 2m } }\n      - { type: bind, source: /etc/hostname, target: /host, read_only: true }\n    healthcheck: { test: [CMD, /testbed, job, '0', '0'], interval: 5s, retries: 2 }\n";
    let case = bed.case_of(&service(extra, "volumes:\n  data:\n")).await;
    let instance = started(&bed, &case).await;
    let seen = inspected(&bed, &case, &instance).await;
    let (config, host) = (seen.config.unwrap(), seen.host_config.unwrap());
    assert_eq!((config.hostname.unwrap(), config.user.unwrap()), ("box".to_owned(), "1234:2345".to_owned()));
    assert_eq!(
        (config.working_dir.unwrap(), config.stop_signal.unwrap()),
        ("/tmp".to_owned(), "SIGINT".to_owned())
    );
    assert_eq!(config.stop_timeout, Some(1));
    assert_eq!(config.labels.as_ref().unwrap()["mine"], "yes");
    assert_eq!(config.labels.unwrap()["com.docker.compose.project"], bed.project.to_string());
    assert_eq!(config.healthcheck.unwrap().test.unwrap(), ["CMD", "/testbed", "job", "0", "0"]);
    assert_eq!((host.readonly_rootfs, host.init), (Some(true), Some(true)));
    let policy = host.restart_policy.unwrap();
    assert_eq!((policy.name, policy.maximum_retry_count), (Some(RestartPolicyNameEnum::ON_FAILURE), Some(3)));
    assert_eq!(host.cap_drop.unwrap(), ["ALL"]);
    assert!(host.cap_add.unwrap()[0].ends_with("NET_BIND_SERVICE"));
    assert_eq!(host.security_opt.unwrap(), ["no-new-privileges=true", "seccomp=unconfined"]);
    assert_eq!(host.tmpfs.unwrap()["/scratch"], "size=1m,mode=1777");
    assert_eq!(
        (host.shm_size, host.memory, host.memory_reservation),
        (Some(32 << 20), Some(64 << 20), Some(32 << 20))
    );
    assert_eq!((host.nano_cpus, host.cpu_shares, host.pids_limit), (Some(500_000_000), Some(200), Some(50)));
    let limits: HashMap<String, (i64, i64)> = host
        .ulimits
        .unwrap()
        .into_iter()
        .map(|limit| (limit.name.unwrap(), (limit.soft.unwrap(), limit.hard.unwrap())))
        .collect();
    assert_eq!(
        limits,
        HashMap::from([("nofile".to_owned(), (1000, 2000)), ("nproc".to_owned(), (500, 500))])
    );
    assert_eq!(host.sysctls.unwrap()["net.core.somaxconn"], "256");
    assert_eq!(host.extra_hosts.unwrap(), ["somewhere:10.1.2.3"]);
    assert_eq!(
        (host.dns.unwrap(), host.dns_search.unwrap()),
        (vec!["10.9.9.9".to_owned()], vec!["example.com".to_owned()])
    );
    assert_eq!((host.group_add.unwrap(), host.oom_score_adj), (vec!["44".to_owned()], Some(100)));
    assert_eq!(host.log_config.unwrap().config.unwrap()["max-size"], "1m");
    let mounts: Vec<String> =
        seen.mounts.unwrap().into_iter().map(|mount| mount.destination.unwrap()).collect();
    assert!(["/data", "/host"].iter().all(|path| mounts.contains(&(*path).to_owned())), "{mounts:?}");
    let test = Probe::Test {
        test: HealthTest::Command(vec!["/testbed".into(), "job".into(), "0".into(), "3".into()]),
        timeout: Duration::from_secs(10),
    };
    let outcome = bed.engine.probe(&bed.project, &instance.id, &test).await.unwrap();
    assert!(!outcome.ready && outcome.detail.contains("exit status: 3"), "{}", outcome.detail);
    let slow = Probe::Test {
        test: HealthTest::Command(vec!["/testbed".into(), "linger".into()]),
        timeout: Duration::from_millis(300),
    };
    let outcome = bed.engine.probe(&bed.project, &instance.id, &slow).await.unwrap();
    assert!(!outcome.ready && outcome.detail.contains("did not end within 0.3 s"), "{}", outcome.detail);
}

#[tokio::test]
async fn an_instance_that_goes_under_its_test_is_not_ready() {
    let bed = Bed::new().await;
    let case = bed.case_of(&service("", "")).await;
    let instance = started(&bed, &case).await;
    let test = Probe::Test {
        test: HealthTest::Command(vec!["/testbed".into(), "linger".into()]),
        timeout: Duration::from_secs(120),
    };
    let goes = async {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        while inspected(&bed, &case, &instance).await.exec_ids.is_none_or(|tests| tests.is_empty()) {
            assert!(tokio::time::Instant::now() < deadline, "the test was not begun");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bed.engine.remove(&bed.project, &instance.id).await
    };
    let (outcome, gone) = tokio::join!(bed.engine.probe(&bed.project, &instance.id, &test), goes);
    gone.unwrap();
    let outcome = outcome.unwrap();
    assert!(!outcome.ready, "{}", outcome.detail);
}

#[tokio::test]
async fn granted_files_are_there_for_their_user_alone_and_shown_nowhere() {
    let bed = Bed::new().await;
    let mut case = bed.case_of(&service("    user: sample\n    read_only: true\n", "")).await;
    case.revision.files = vec![GrantedFile {
        target: "/run/secrets/key".to_owned(),
        mode: None,
        uid: None,
        gid: None,
        contents: Sensitive::new("canary-of-secrets"),
    }];
    let instance = started(&bed, &case).await;
    assert_eq!(answer(&instance, "/file/SECRET_FILE").await, "canary-of-secrets");
    let seen = inspected(&bed, &case, &instance).await;
    assert!(!format!("{seen:?}").contains("canary"), "inspecting shows no secret");
    let mount = seen
        .mounts
        .unwrap()
        .into_iter()
        .find(|mount| mount.destination.as_deref() == Some("/run/secrets/key"));
    let file = mount.unwrap().source.unwrap();
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(&file).unwrap();
    assert_eq!((metadata.uid(), metadata.gid(), metadata.mode() & 0o777), (1234, 2345, 0o400));
    bed.engine.remove(&bed.project, &instance.id).await.unwrap();
    assert!(!std::path::Path::new(&file).exists(), "it goes with its instance");
}

#[tokio::test]
async fn services_find_each_other_by_name_and_only_the_machine_reaches_the_ingress() {
    let bed = Bed::new().await;
    let case = bed.case_of(&service("    networks: { inner: { aliases: [other] }, outer: {} }\n", "networks:\n  inner: { internal: true }\n  outer:\n    ipam: { config: [{ subnet: 10.253.7.0/28 }] }\n")).await;
    let instance = started(&bed, &case).await;
    answer(&instance, "/").await;
    let networks = inspected(&bed, &case, &instance).await.network_settings.unwrap().networks.unwrap();
    let mut names: Vec<&String> = networks.keys().collect();
    names.sort();
    let (inner, outer) = (format!("{}_inner", bed.project), format!("{}_outer", bed.project));
    assert_eq!(names, ["seaworthy-ingress", &*inner, &*outer]);
    assert!(networks[&inner].aliases.as_ref().unwrap().iter().any(|alias| alias == "other"));
    assert!(networks[&inner].aliases.as_ref().unwrap().iter().any(|alias| alias == "sample"));
    assert!(networks[&outer].ip_address.as_ref().unwrap().starts_with("10.253.7."));
    assert_eq!(
        networks["seaworthy-ingress"].ip_address.clone().unwrap(),
        instance.addresses[0].1.ip().to_string()
    );
}

#[tokio::test]
async fn want_of_memory_is_told_as_such() {
    let bed = Bed::new().await;
    let yaml = "services:\n  sample:\n    image: IMAGE\n    command: [/testbed, hog, '200']\n    mem_limit: 16m\n    memswap_limit: 16m\n    x-seaworthy: { run: before-deploy }\n";
    let case = bed.case_of(yaml).await;
    bed.engine.prepare(&case.revision).await.unwrap();
    let exit = bed.engine.run_once(&case.revision, Duration::from_secs(60)).await.unwrap();
    assert!(exit.out_of_memory && exit.code == 137 && exit.signal == Some(9), "{exit:?}");
}
