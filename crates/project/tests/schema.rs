//! What may stand under a key, as Docker Compose has it: each value is tried and told taken or refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]

use seaworthy_project::fixture::{MemoryFiles, request, try_load};
use seaworthy_project::{EnvironmentName, Loaded, Request, load};

/// Loads a service with one more key in development, where what Compose loads is no problem.
fn with(key: &str) -> Loaded {
    let yaml = format!(
        "services:\n  web:\n    image: x\n    {key}\n  other: {{image: x}}\nnetworks: {{n: }}\nvolumes: {{v: }}\n"
    );
    let environment = EnvironmentName::new("development").unwrap();
    load(&Request { environment, ..request() }, &MemoryFiles::new(&[("compose.yaml", &yaml)]))
}

#[track_caller]
fn taken(keys: &[&str]) {
    for key in keys {
        assert_eq!(with(key).problems, [], "{key}");
    }
}

#[track_caller]
fn refused(keys: &[&str]) {
    for key in keys {
        assert_eq!(with(key).problems.len(), 1, "{key}: {:#?}", with(key).problems);
    }
}

#[test]
fn numbers() {
    taken(&[
        "cpu_count: '3'",
        "cpu_period: 2.5",
        "pids_limit: 1e3",
        "cpus: -1",
        "cpus: '1_0'",
        "oom_score_adj: -1000",
        "scale: 2.0",
        "healthcheck: {retries: 2.5}",
        "networks: {n: {priority: 1.5}}",
    ]);
    refused(&[
        "cpu_count: -1",
        "cpu_period: '2.5'",
        "cpu_percent: 101",
        "cpu_percent: 50.5",
        "oom_score_adj: 1001",
        "scale: 2.5",
        "healthcheck: {retries: -1}",
        "networks: {n: {priority: '1'}}",
        "blkio_config: {weight: '10'}",
        "deploy: {update_config: {parallelism: -1}}",
    ]);
}

#[test]
fn sizes_and_durations() {
    taken(&[
        "mem_limit: 1.5gb",
        "mem_limit: '1e3'",
        "mem_limit: 1e3",
        "mem_limit: -1",
        "stop_grace_period: 1w2d",
    ]);
    taken(&["stop_grace_period: -5s", "healthcheck: {interval: 1.5h}", "shm_size: '64 m'"]);
    refused(&["mem_limit: '-1'", "mem_limit: ' 64m'", "mem_reservation: 1.5", "stop_grace_period: 10"]);
    refused(&[
        "stop_grace_period: '10'",
        "stop_grace_period: 1m30",
        "deploy: {resources: {limits: {memory: 100}}}",
    ]);
}

#[test]
fn sizes_and_durations_are_written_in_one_way() {
    let spelled = |key: &str, name: &str| {
        let project = with(key).project.unwrap();
        project.node.at(&["services", "web", name]).and_then(|node| node.text().map(str::to_owned))
    };
    let durations =
        [("1us", "1µs"), ("90s", "1m30s"), ("1500ns", "1.5µs"), ("1d", "24h0m0s"), ("-1.5s", "-1.5s")];
    for (written, wanted) in durations {
        let seen = spelled(&format!("stop_grace_period: {written}"), "stop_grace_period");
        assert_eq!(seen.as_deref(), Some(wanted), "{written}");
    }
    assert_eq!(spelled("cpus: 0.333333333333", "cpus").as_deref(), Some("0.33333334"));
    assert_eq!(spelled("mem_limit: 0x10", "mem_limit").as_deref(), Some("16"));
    assert_eq!(spelled("mem_limit: 0", "mem_limit"), None);
}

#[test]
fn nothing_stands_only_where_it_may() {
    taken(&[
        "command:",
        "deploy:",
        "develop:",
        "networks: {n: }",
        "environment: {A: }",
        "logging: {options: {a: }}",
    ]);
    refused(&["hostname:", "environment:", "healthcheck: {test: }", "dns: [a, ~]", "depends_on: {other: }"]);
}

#[test]
fn the_first_file_alone_must_be_whole() {
    let base = ("compose.yaml", "services: {web: {image: x, hostname: , environment: {A: 1}}}");
    let over = ("compose.production.yaml", "services: {web: {hostname: a, environment: }}");
    assert_eq!(try_load(&[base, over]).problems.len(), 1, "the first file alone must be whole");
}

#[test]
fn nothing_stands_twice() {
    taken(&["cap_add: [A, A]", "group_add: [5, '5']", "environment: ['A=1', 'A=2']"]);
    refused(&["security_opt: [a, a]", "networks: [n, n]", "depends_on: [other, other]", "group_add: [5, 5]"]);
    refused(&["external_links: [a, a]", "volumes_from: [other, other]"]);
}

#[test]
fn keys_that_must_be_there() {
    taken(&["depends_on: {other: {condition: service_started}}"]);
    refused(&["depends_on: {other: {}}", "ulimits: {nofile: {soft: 1}}", "post_start: [{user: root}]"]);
    refused(&["develop: {watch: [{path: a}]}", "volumes: [{target: /a}]", "env_file: [{required: false}]"]);
}

#[test]
fn texts_and_booleans() {
    taken(&["init: 'yes'", "privileged: off", "cpuset: '1'", "labels: {a: 1.5, b: true, c: }"]);
    refused(&["init: 1", "use_api_socket: 'true'", "cpuset: 1", "command: [a, 1]", "hostname: 2001-12-14"]);
    refused(&["container_name: a", "pull_policy: every_x", "labels: {1: a}", "labels: {true: a}"]);
}

#[test]
fn what_excludes_each_other() {
    refused(&[
        "gpus: [{count: 1, device_ids: ['0']}]",
        "tmpfs: [/a]\n    volumes: [{type: tmpfs, target: /a}]",
    ]);
    refused(&["build: {dockerfile: a, dockerfile_inline: FROM a}", "ports: [{target: 80, host_ip: here}]"]);
    refused(&[
        "develop: {watch: [{path: a, action: sync}]}",
        "depends_on: {x: {condition: service_started, required: false}}",
    ]);
}

#[test]
fn balancing_of_a_route() {
    let route = |said: &str| format!("x-seaworthy: {{route: {{{said}}}}}");
    let keys = |said: &[&str]| said.iter().map(|said| route(said)).collect::<Vec<_>>();
    let good = keys(&[
        "wait: 0s",
        "wait: 10m",
        "queue: 1",
        "balance: power-of-two",
        "balance: hash",
        "balance: hash, hash_by: client",
        "balance: hash, hash_by: header X-Tenant",
        "balance: hash, hash_by: cookie id",
        "weights: [3, 1]",
        "slow_start: 30s",
        "max_in_flight: 100",
        "eject: {after: 0}",
        "eject: {for: 5m}",
        "retries: 0%",
        "proxy_protocol: {trust: [10.0.0.0/8, 192.0.2.7, '::1', '::/0'], send: v1}",
    ]);
    taken(&good.iter().map(String::as_str).collect::<Vec<_>>());
    let wrong = keys(&[
        "wait: 11m",
        "wait: soon",
        "queue: 0",
        "balance: random",
        "hash_by: client",
        "balance: round-robin, hash_by: client",
        "balance: hash, hash_by: header",
        "balance: hash, hash_by: header a b",
        "weights: [0]",
        "weights: [1001]",
        "slow_start: never",
        "max_in_flight: 0",
        "eject: {after: 1001}",
        "eject: {for: 500ms}",
        "eject: {until: 1s}",
        "retries: 20",
        "retries: 101%",
        "proxy_protocol: {trust: [10.0.0.0/33]}",
        "proxy_protocol: {trust: [everybody]}",
        "proxy_protocol: {send: v3}",
    ]);
    refused(&wrong.iter().map(String::as_str).collect::<Vec<_>>());
}
