//! Mistakes: each gets a clear error with its place and a hint, exit 2 (5 for the lock), and changes nothing.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "code of tests")]

#[path = "support/site.rs"]
mod site;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use site::{Ran, Site, files_below, wait_until};

/// Deploys what is wrong, and checks that nothing came of it.
#[track_caller]
fn refused(site: &Site, parts: &[&str]) -> Ran {
    let ran = site.run(&["deploy", "-y"]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    for part in parts {
        assert!(ran.stderr.contains(part), "`{part}` is not in:\n{}", ran.stderr);
    }
    assert!(ran.stdout.is_empty(), "errors go to standard error");
    assert!(site.processes().is_empty(), "nothing was started");
    let releases = files_below(&site.state()).iter().any(|file| file.to_string_lossy().contains("releases"));
    assert!(!releases, "nothing was kept");
    ran
}

fn with(change: impl Fn(String) -> String) -> Site {
    let site = Site::new();
    site.write("compose.yaml", &change(site.compose(2)));
    site
}

#[test]
fn no_compose_file() {
    let site = Site::new();
    std::fs::remove_file(site.project().join("compose.yaml")).unwrap();
    refused(&site, &["compose.yaml", "hint"]);
}

#[test]
fn files_that_cannot_be_read() {
    refused(&with(|text| text.replace("  web:", "  web: [")), &["compose.yaml:"]);
    refused(
        &with(|text| text.replace("    image: shop:1\n    ports", "\timage: shop:1\n    ports")),
        &["compose.yaml:4", "tab"],
    );
    refused(
        &with(|text| text.replace("  worker:\n", "  worker:\n    image: other\n")),
        &["compose.yaml:", "image", "twice"],
    );
    refused(
        &with(|text| text.replace("stop_grace_period", "stop_grace_perod")),
        &["stop_grace_perod", "stop_grace_period", "compose.yaml:10:5"],
    );
    refused(
        &with(|text| {
            text.replace("depends_on", "x")
                .replace("  worker:\n", "  worker:\n    depends_on: [web]\n")
                .replace("  web:\n", "  web:\n    depends_on: [worker]\n")
        }),
        &["`web` → `worker` → `web`"],
    );
}

#[test]
fn several_mistakes_are_told_in_one_run() {
    let site = with(|text| {
        text.replace("stop_grace_period", "stop_grace_perod")
            .replace("read", "raed")
            .replace("replicas", "replicsa")
    });
    refused(&site, &["stop_grace_perod", "replicsa"]);
}

#[test]
fn a_required_variable_that_is_not_set() {
    let site = Site::new();
    std::fs::remove_file(site.project().join(".env")).unwrap();
    refused(&site, &["API_TOKEN", "set it in .env", "compose.yaml:8"]);
}

#[test]
fn one_host_port_for_two_services() {
    let site = Site::new();
    let ports = format!("  worker:\n    ports: [\"127.0.0.1:{}:9090\"]\n", site.port);
    site.write("compose.yaml", &site.compose(2).replace("  worker:\n", &ports));
    refused(&site, &[&site.port.to_string(), "web", "worker"]);
}

#[test]
fn a_port_of_another_program() {
    let site = Site::new();
    let _taken = TcpListener::bind(("127.0.0.1", site.port)).unwrap();
    refused(&site, &[&site.port.to_string(), "hint"]);
}

#[test]
fn programs_that_cannot_run() {
    let site = Site::new();
    std::fs::remove_file(site.project().join("bin/worker")).unwrap();
    refused(&site, &["bin/worker", "not found", "hint"]);
    let site = Site::new();
    std::fs::set_permissions(site.project().join("bin/worker"), std::fs::Permissions::from_mode(0o644))
        .unwrap();
    refused(&site, &["bin/worker", "not executable", "hint"]);
}

#[test]
fn a_state_folder_that_cannot_be_written() {
    let site = Site::new();
    let ran = site.run_with(&["deploy", "-y"], &[("SEAWORTHY_STATE", "/proc/seaworthy")]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(
        ran.stderr.contains("/proc/seaworthy") && ran.stderr.contains("SEAWORTHY_STATE"),
        "{}",
        ran.stderr
    );
}

/// The state file of a deployed project, changed; what runs goes on, and the command says what is wrong.
#[track_caller]
fn with_state(change: impl Fn(Vec<u8>) -> Vec<u8>, parts: &[&str]) {
    let site = Site::new();
    site.done(&["deploy", "-y"]);
    let path = site.state().join("projects/shop-production/state.db");
    let whole = std::fs::read(&path).unwrap();
    let changed = change(whole.clone());
    std::fs::write(&path, &changed).unwrap();
    site.install(2);
    let ran = site.run(&["deploy", "-y"]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    for part in parts {
        assert!(ran.stderr.contains(part), "`{part}` is not in:\n{}", ran.stderr);
    }
    assert_eq!(site.get("/").unwrap(), "version 001 greeting hello", "what runs goes on");
    assert_eq!(std::fs::read(&path).unwrap(), changed, "nothing was changed");
    std::fs::write(&path, &whole).unwrap();
    site.done(&["deploy", "-y"]);
}

#[test]
fn a_state_file_of_a_newer_version() {
    // SQLite keeps `user_version` at byte 60 of its header.
    let newer = |mut bytes: Vec<u8>| {
        bytes[60..64].copy_from_slice(&99u32.to_be_bytes());
        bytes
    };
    with_state(newer, &["state.db", "version 99", "newer"]);
}

#[test]
fn a_truncated_state_file() {
    with_state(|bytes| bytes[..bytes.len() / 2].to_vec(), &["state.db", "damaged"]);
    with_state(|bytes| bytes[..50].to_vec(), &["state.db", "damaged"]);
}

#[test]
fn a_full_disk() {
    let site = Site::new();
    std::fs::create_dir_all(site.state()).unwrap();
    let small =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(site.state()).status();
    if !small.is_ok_and(|status| status.success()) {
        eprintln!("skipped: a small file system cannot be mounted here");
        return;
    }
    let ran = site.run(&["deploy", "-y"]);
    let _ = Command::new("umount").arg(site.state()).status();
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(ran.stderr.contains("full") && ran.stderr.contains("hint"), "{}", ran.stderr);
    assert!(site.processes().is_empty(), "nothing was started");
}

#[test]
fn two_deploys_at_once() {
    let site = Site::new();
    // Never ready, so that the first deploy holds the lock for a while.
    site.install(900);
    let mut first = site.command(&["deploy", "-y"]).stderr(std::process::Stdio::null()).spawn().unwrap();
    let lock = site.state().join("projects/shop-production/lock");
    wait_until("the first deploy holds the lock", || {
        std::fs::read_to_string(&lock).is_ok_and(|text| text.contains("deploy"))
    });
    let second = site.run(&["deploy", "-y"]);
    assert_eq!(second.code, 5, "{}", second.all());
    assert!(second.stderr.contains(&format!("process {}", first.id())), "{}", second.stderr);
    assert_eq!(first.wait().unwrap().code(), Some(3));
}

#[test]
fn without_a_terminal_nobody_can_be_asked() {
    let site = Site::new();
    let ran = site.run(&["deploy"]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(ran.stderr.contains("-y"), "{}", ran.stderr);
}
