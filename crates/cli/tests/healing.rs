//! What ends, is lost or is not well comes back by itself, whatever of Seaworthy is killed, and on to the whole machine.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "code of tests")]

#[path = "support/site.rs"]
mod site;

use std::process::{Command, Stdio};

use site::{Site, wait_until};

/// Its processes whose command line has all of these words.
fn processes(site: &Site, words: &[&str]) -> Vec<u32> {
    let line = |process: &u32| {
        let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ")
    };
    let all = |process: &u32| words.iter().all(|word| line(process).contains(&format!(" {word} ")));
    site.processes().into_iter().filter(all).collect()
}

/// All at once: what is killed one after the other is started again by who is left.
fn kill(processes: &[u32]) {
    let processes: Vec<String> = processes.iter().map(u32::to_string).collect();
    let _ = Command::new("kill").arg("-9").args(processes).stderr(Stdio::null()).status();
}

fn agent(site: &Site) -> serde_json::Value {
    serde_json::from_str(&site.run(&["agent", "status", "--format", "json"]).stdout).unwrap()
}

fn is_whole(site: &Site) -> bool {
    site.run(&["status"]).code == 0 && site.get("/").is_ok_and(|body| body.starts_with("version 001"))
}

fn history(site: &Site) -> String {
    site.done(&["history", "--format", "json"]).stdout
}

#[test]
fn killed_instances_come_back_and_the_history_says_why() {
    let site = Site::new();
    site.done(&["deploy", "-y"]);
    assert_eq!(agent(&site)["running"], true);
    let shims = processes(&site, &["shim"]);
    assert_eq!(shims.len(), 4, "three of web and the worker");
    kill(&shims);
    wait_until("all of them are back", || is_whole(&site));
    wait_until("it says so", || site.run(&["agent", "status"]).stdout.contains("it is back"));
    let told = history(&site);
    assert!(told.contains("\"heal\"") && told.contains("was lost with what watched over it"), "{told}");
    // A file of the user's that broke in the meantime is no matter of the agent's: it knows releases only.
    site.write("compose.yaml", "services: [");
    kill(&processes(&site, &["shim"])[..1]);
    wait_until("it is back too", || processes(&site, &["shim"]).len() == 4);
    site.write("compose.yaml", &site.compose(3));
    wait_until("it serves", || is_whole(&site));
    site.done(&["down", "-y"]);
    wait_until("no process is left", || site.processes().is_empty());
}

#[test]
fn agent_and_gateway_keep_each_other_alive() {
    let site = Site::new();
    site.done(&["deploy", "-y"]);
    wait_until("an agent watches", || agent(&site)["status"]["process"].is_u64());
    let before = agent(&site)["status"]["process"].as_u64();
    kill(&processes(&site, &["agent", "run"]));
    wait_until("another agent watches", || {
        let now = agent(&site);
        let process = now["status"]["process"].as_u64();
        now["running"] == true && process.is_some() && process != before
    });
    kill(&processes(&site, &["gateway"]));
    wait_until("the gateway is back", || is_whole(&site));
    kill(&processes(&site, &["shim"])[..2]);
    wait_until("the instances are back", || is_whole(&site));
    site.done(&["down", "-y"]);
    wait_until("no process is left", || site.processes().is_empty());
}

#[test]
fn after_a_restart_of_the_machine_the_agent_alone_brings_everything_back() {
    let site = Site::new();
    site.write("greeting.txt", "kept in memory");
    let compose = site.compose(3).replace("    deploy:", "    secrets: [token]\n    deploy:");
    site.write("compose.yaml", &format!("{compose}secrets:\n  token: {{ file: greeting.txt }}\n"));
    site.done(&["deploy", "-y"]);
    let all = site.processes();
    assert!(all.len() > 8, "{all:?}");
    // Somebody may just have started somebody.
    wait_until("nothing runs any more", || {
        let left = site.processes();
        kill(&left);
        left.is_empty()
    });
    let memory = site.memory();
    assert!(memory.is_dir(), "{}", memory.display());
    std::fs::remove_dir_all(&memory).unwrap();
    // As a unit or an @reboot line does: nothing but the state folder is known.
    let state = site.state();
    let mut unit = Command::new(env!("CARGO_BIN_EXE_seaworthy"))
        .args(["agent", "run", "--stay", "--state"])
        .arg(&state)
        .env_clear()
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("it serves again", || is_whole(&site));
    assert!(memory.is_dir(), "the secrets are in memory again");
    assert_eq!(processes(&site, &["shim"]).len(), 4);
    // A deploy leaves an agent of a unit alone.
    site.done(&["deploy", "-y"]);
    assert_eq!(agent(&site)["status"]["process"].as_u64(), Some(u64::from(unit.id())));
    site.done(&["down", "-y"]);
    wait_until("only the unit is left", || site.processes() == [unit.id()]);
    let asked = Command::new("kill").arg(unit.id().to_string()).status().unwrap();
    assert!(asked.success() && unit.wait().unwrap().success(), "it ends when it is told to");
}

#[test]
fn the_sick_are_replaced_and_the_others_serve() {
    let site = Site::new();
    let compose = site.compose(2).replace(
        "    deploy:",
        "    healthcheck: { interval: 500ms, retries: 2, test: [CMD, \"true\"] }\n    deploy:",
    );
    site.write("compose.yaml", &compose);
    site.done(&["deploy", "-y"]);
    let ids = || -> Vec<(u64, String)> {
        let told = site.done(&["ps", "web", "--format", "json"]).stdout;
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let one = |one: &serde_json::Value| {
            (
                one["process"].as_u64().unwrap_or(0),
                one["addresses"][0][1].as_str().unwrap_or_default().to_owned(),
            )
        };
        told["instances"].as_array().unwrap().iter().map(one).collect()
    };
    let before = ids();
    let port = before[0].1.rsplit(':').next().unwrap().parse().unwrap();
    site::get(port, "/sicken").unwrap();
    wait_until("the sick one is replaced", || {
        assert!(site.get("/").is_ok(), "the other one serves");
        let now = ids();
        now.len() == 2 && now.iter().all(|(process, _)| *process != before[0].0 && *process != 0)
    });
    wait_until("both serve", || is_whole(&site));
    let now = ids();
    assert!(now.iter().any(|(process, _)| *process == before[1].0), "the well one was not touched");
    assert!(history(&site).contains("was not well: 503"), "{}", history(&site));
}

#[test]
fn a_broken_release_that_is_healed_hinders_no_deploy() {
    let site = Site::new();
    // Ready once, so that the deploy succeeds; then its program is gone bad for good.
    site.done(&["deploy", "-y"]);
    kill(&processes(&site, &["agent", "run"]));
    let artifacts: Vec<_> = site::files_below(&site.state().join("process/artifacts"));
    for file in &artifacts {
        let program = std::fs::read(file).unwrap();
        let mark = b"seaworthy-sample-ver=001";
        if let Some(at) = program.windows(mark.len()).position(|window| window == mark) {
            let bad = [&program[..at], b"seaworthy-sample-ver=901", &program[at + mark.len()..]].concat();
            std::fs::remove_file(file).unwrap();
            std::fs::write(file, bad).unwrap();
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    kill(&processes(&site, &["shim"]));
    wait_until("a healing is under way", || {
        site.run(&["agent", "status"]);
        site.run(&["status", "--format", "json"]).stdout.contains("agent run")
    });
    site.install(2);
    site.done(&["deploy", "-y"]);
    assert_eq!(site.get("/").unwrap(), "version 002 greeting hello");
    site.done(&["down", "-y"]);
    wait_until("no process is left", || site.processes().is_empty());
}

#[test]
fn no_agent_is_started_where_none_is_wanted() {
    let site = Site::new();
    let ran = site.run_with(&["deploy", "-y"], &[("SEAWORTHY_AGENT", "off")]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert_eq!(processes(&site, &["agent", "run"]), [0; 0]);
    assert_eq!(site.run(&["agent", "status"]).code, 1);
    assert!(site.get("/").is_ok());
}
