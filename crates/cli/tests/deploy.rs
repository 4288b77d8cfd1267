//! The way of a release: deployed, rolled under load, broken and kept, rolled back, scaled, restarted, taken down.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "code of tests")]

#[path = "support/load.rs"]
mod load;
#[path = "support/site.rs"]
mod site;

use load::Load;
use site::{CANARY, Site, files_below, wait_until};

#[test]
fn a_release_goes_its_way_with_no_failed_request() {
    let site = Site::new();
    site.done(&["deploy", "-y"]);
    assert_eq!(site.get("/").unwrap(), "version 001 greeting hello");
    let load = Load::start(site.port);

    let again = site.done(&["deploy", "-y"]);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);

    site.install(2);
    let planned: serde_json::Value =
        serde_json::from_str(&site.done(&["plan", "--format", "json"]).stdout).unwrap();
    site.done(&["deploy", "-y"]);
    assert_eq!(site.get("/").unwrap(), "version 002 greeting hello");
    assert_eq!(verbs(&planned), journal_verbs(&site), "the plan predicted what was done");

    site.install(900);
    let broken = site.run(&["deploy", "-y"]);
    assert_eq!(broken.code, 3, "{}", broken.all());
    assert!(
        broken.stderr.contains("503") && broken.stderr.contains("what was seen is kept in"),
        "{}",
        broken.stderr
    );
    assert_eq!(site.get("/").unwrap(), "version 002 greeting hello");

    site.done(&["scale", "web=5", "-y"]);
    site.done(&["scale", "web=2", "-y"]);
    site.done(&["restart", "web", "-y"]);
    assert_eq!(site.get("/").unwrap(), "version 002 greeting hello");

    // A rollback needs neither the code nor the values in the folder: both are gone.
    std::fs::remove_file(site.project().join(".env")).unwrap();
    site.write("compose.yaml", &site.compose(3).replace("hello", "changed"));
    let back = site.done(&["rollback", "1", "-y"]);
    assert_eq!(site.get("/").unwrap(), "version 001 greeting hello", "{}", back.stderr);

    let (sent, failures) = load.stop();
    assert!(
        failures.is_empty(),
        "{} of {sent} requests failed: {:?}",
        failures.len(),
        &failures[..failures.len().min(5)]
    );
    site.done(&["down", "-y"]);
    wait_until("no process is left", || site.processes().is_empty());
}

#[test]
fn one_instance_replaced_stop_first_fails_no_request() {
    let site = Site::new();
    let alone = "deploy: { replicas: 1, update_config: { order: stop-first } }";
    site.write("compose.yaml", &site.compose(1).replace("deploy: { replicas: 1 }", alone));
    site.done(&["deploy", "-y"]);
    let load = Load::start(site.port);
    for version in 2..=4 {
        site.install(version);
        let plan = site.done(&["plan"]).stdout;
        assert!(plan.contains("what comes through the gateway waits up to 10.2 s for it"), "{plan}");
        site.done(&["deploy", "-y"]);
        assert_eq!(site.get("/").unwrap(), format!("version {version:03} greeting hello"));
    }
    site.done(&["restart", "web", "-y"]);
    let (sent, failures) = load.stop();
    assert!(failures.is_empty(), "{} of {sent} requests failed: {failures:?}", failures.len());
    site.done(&["down", "-y"]);
}

#[test]
fn an_instance_is_taken_out_of_traffic_and_back_in() {
    let site = Site::new();
    let early = site.run(&["gateway", "status"]);
    assert_eq!(early.code, 2, "{}", early.all());
    assert!(early.stderr.contains("is not running"), "{}", early.stderr);
    site.done(&["deploy", "-y"]);
    let states = || -> Vec<String> {
        let text = site.done(&["gateway", "status", "--format", "json"]).stdout;
        let told: serde_json::Value = serde_json::from_str(&text).unwrap();
        let backends = told["gateway"]["projects"][0]["backends"].as_array().unwrap().clone();
        let state = |one: serde_json::Value| {
            format!("{}{}", one["id"].as_str().unwrap().rsplit('.').next().unwrap(), one["set_aside"])
        };
        backends.into_iter().map(state).collect()
    };
    assert_eq!(states(), ["1false", "2false", "3false"]);
    let load = Load::start(site.port);
    let out = site.done(&["gateway", "drain", "web.1", "web.3"]);
    assert!(out.stderr.contains("out of traffic, nothing in flight"), "{}", out.all());
    assert_eq!(states(), ["1true", "2false", "3true"]);
    let table = site.done(&["gateway", "status"]).stdout;
    assert_eq!((table.matches("drained").count(), table.matches("well").count()), (2, 1), "{table}");
    let last = site.run(&["gateway", "drain", "web.2"]);
    assert_eq!(last.code, 2, "{}", last.all());
    assert!(last.stderr.contains("nobody else would take the requests of route `web`"), "{}", last.stderr);
    let unknown = site.run(&["gateway", "drain", "web.7"]);
    assert!(
        unknown.stderr.contains("no instance `web.7`") && unknown.stderr.contains("there are: web."),
        "{}",
        unknown.stderr
    );

    site.done(&["gateway", "drain", "--undo", "web.3"]);
    assert_eq!(states(), ["1true", "2false", "3false"]);
    site.install(2);
    site.done(&["deploy", "-y"]);
    assert_eq!(states(), ["1false", "2false", "3false"], "the next deploy undoes it");
    let (sent, failures) = load.stop();
    assert!(failures.is_empty(), "{} of {sent} requests failed: {failures:?}", failures.len());

    let routes = site.done(&["gateway", "routes"]).stdout;
    assert!(
        routes.contains("round-robin") && routes.contains(&format!("127.0.0.1:{}", site.port)),
        "{routes}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&site.done(&["gateway", "routes", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["projects"][0]["routes"][0]["name"], "web");
    site.done(&["down", "-y"]);
}

fn verbs(planned: &serde_json::Value) -> Vec<String> {
    let steps = planned["plan"]["steps"].as_array().unwrap();
    steps.iter().map(|step| step["action"].to_string()).collect()
}

fn journal_verbs(site: &Site) -> Vec<String> {
    let journal: serde_json::Value =
        serde_json::from_str(&site.done(&["history", "--format", "json", "--journal"]).stdout).unwrap();
    let lines = journal["changes"][0]["journal"].as_array().unwrap();
    lines.iter().filter(|line| line["phase"] == "done").map(|line| line["action"].to_string()).collect()
}

/// A site at version 1, and the deploy of a version that never gets ready, under way.
fn rolling() -> (Site, std::process::Child) {
    let site = Site::new();
    site.done(&["deploy", "-y"]);
    site.install(900);
    let deploy = site.command(&["deploy", "-y"]).stderr(std::process::Stdio::null()).spawn().unwrap();
    wait_until("the new release is being started", || {
        site.run(&["ps", "web", "--format", "json"]).stdout.matches("\"slot\"").count() > 3
    });
    (site, deploy)
}

#[test]
fn an_interrupted_deploy_leaves_all_as_it_was() {
    let (site, mut deploy) = rolling();
    let interrupted =
        std::process::Command::new("kill").args(["-INT", &deploy.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(deploy.wait().unwrap().code(), Some(130));
    assert_eq!(site.get("/").unwrap(), "version 001 greeting hello");
    assert_eq!(site.run(&["ps", "web", "--format", "json"]).stdout.matches("\"slot\"").count(), 3);
    assert!(site.done(&["status"]).stdout.contains("release 1"));
}

#[test]
fn who_insists_ends_it_at_once_and_nothing_is_lost() {
    let (site, mut deploy) = rolling();
    let id = deploy.id().to_string();
    wait_until("it has gone", || {
        let _ = std::process::Command::new("kill").args(["-INT", &id]).output().unwrap();
        deploy.try_wait().unwrap().is_some()
    });
    assert_eq!(deploy.wait().unwrap().code(), Some(130));
    assert_eq!(site.get("/").unwrap(), "version 001 greeting hello");
    site.install(1);
    site.done(&["deploy", "-y"]);
    assert_eq!(site.get("/").unwrap(), "version 001 greeting hello");
    assert_eq!(site.run(&["ps", "web", "--format", "json"]).stdout.matches("\"slot\"").count(), 3);
}

#[test]
fn traffic_needs_no_program() {
    let site = Site::new();
    let copy = site.project().join("seaworthy-copy");
    std::fs::copy(env!("CARGO_BIN_EXE_seaworthy"), &copy).unwrap();
    let deployed = site.command_of(&copy, &["deploy", "-y"]).output().unwrap();
    assert!(deployed.status.success(), "{}", String::from_utf8_lossy(&deployed.stderr));
    std::fs::remove_file(&copy).unwrap();
    assert_eq!(site.get("/").unwrap(), "version 001 greeting hello", "absent, it changes nothing");
    // Another copy, as after an upgrade, operates what the first one started.
    site.install(2);
    site.done(&["deploy", "-y"]);
    assert_eq!(site.get("/").unwrap(), "version 002 greeting hello");
}

#[test]
fn no_secret_is_seen_anywhere() {
    let site = Site::new();
    let mut seen = String::new();
    seen.push_str(&site.done(&["config"]).all());
    seen.push_str(&site.run(&["check"]).all());
    seen.push_str(&site.run(&["harden", "--dry-run"]).all());
    seen.push_str(&site.done(&["-v", "deploy", "-y"]).all());
    site.install(900);
    seen.push_str(&site.run(&["-v", "deploy", "-y"]).all());
    for command in ["status", "ps", "history"] {
        seen.push_str(&site.done(&[command, "--format", "json"]).all());
        seen.push_str(&site.done(&[command]).all());
    }
    seen.push_str(&site.done(&["plan"]).all());
    let processes = std::process::Command::new("ps").args(["axww", "-o", "args"]).output().unwrap();
    seen.push_str(&String::from_utf8_lossy(&processes.stdout));
    assert!(!seen.contains(CANARY), "a secret was printed");
    for file in files_below(&site.state()) {
        // The log holds what the service itself wrote, the sample its token on purpose; all else must not.
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("log")) {
            continue;
        }
        let contents = std::fs::read(&file).unwrap_or_default();
        let found = contents.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(!found, "a secret is in `{}`", file.display());
    }
}
