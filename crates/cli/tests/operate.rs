//! Operating plain processes: verified, looked into, stopped and started.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "code of tests"
)]

#[path = "support/site.rs"]
mod site;

use site::{CANARY, Site, wait_until};

#[test]
fn what_a_plain_process_promises_is_verified() {
    let site = Site::new();
    let deployed = site.done(&["deploy", "-y"]);
    assert!(!deployed.stderr.contains("promised"), "{}", deployed.stderr);
    let kept = site.run(&["verify"]);
    assert_eq!(kept.code, 0, "{}", kept.all());
    let told: serde_json::Value =
        serde_json::from_str(&site.done(&["ps", "web", "--format", "json"]).stdout).unwrap();
    let process = told["instances"][0]["process"].as_u64().unwrap().to_string();
    let stopped = std::process::Command::new("kill").args(["-STOP", &process]).status().unwrap();
    assert!(stopped.success());
    let broken = site.run(&["verify", "--format", "json"]);
    std::process::Command::new("kill").args(["-CONT", &process]).status().unwrap();
    assert_eq!(broken.code, 1, "{}", broken.all());
    let told: serde_json::Value = serde_json::from_str(&broken.stdout).unwrap();
    let first = &told["broken"][0];
    assert_eq!(
        (first["rule"].as_str(), first["severity"].as_str()),
        (Some("unhealthy-instance"), Some("high"))
    );
    assert_eq!(first["key"], "services.web.x-seaworthy.probe.ready");
    assert!(first["place"]["line"].as_u64().is_some_and(|line| line > 1), "{first}");
    assert!(!broken.all().contains(CANARY));
    assert_eq!(site.run(&["explain", "unhealthy-instance"]).code, 0);
}

#[test]
fn commands_run_beside_processes_and_what_happens_is_told() {
    let site = Site::new();
    site.done(&["deploy", "-y"]);
    let ran = site.run(&[
        "exec",
        "-e",
        "MORE=much",
        "web",
        "--",
        "sh",
        "-c",
        "echo $GREETING $MORE; echo oh >&2; exit 7",
    ]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (7, "hello much\n", "oh\n"));
    let missing = site.run(&["exec", "web", "no-such-program"]);
    assert_eq!(missing.code, 2, "{}", missing.all());
    assert!(missing.stderr.contains("could not run `no-such-program`"), "{}", missing.stderr);
    let stats = site.done(&["stats", "--format", "json"]);
    assert_eq!(stats.stdout.lines().count(), 4, "three of web and a worker: {}", stats.stdout);
    let events = site.done(&["events", "--format", "json"]);
    for kind in ["change-began", "step-done", "instance-made", "instance-started", "change-ended"] {
        assert!(events.stdout.contains(&format!("\"kind\":\"{kind}\"")), "no {kind} in {}", events.stdout);
    }
    let logs = site.done(&["logs", "web", "--format", "json"]);
    let line: serde_json::Value = serde_json::from_str(logs.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((&line["service"], &line["stream"]), (&"web".into(), &"stdout".into()));
}

#[test]
fn a_project_of_one_environment_is_not_reached_from_another() {
    let site = Site::new();
    site.done(&["deploy", "-y"]);
    let told: serde_json::Value =
        serde_json::from_str(&site.done(&["status", "--format", "json"]).stdout).unwrap();
    let name = told["project"].as_str().unwrap();
    for words in [&["down", "-y"][..], &["status"], &["plan"]] {
        let ran = site.run(&[&["-p", name, "-e", "development"], words].concat());
        assert_eq!(ran.code, 2, "{words:?}: {}", ran.all());
        assert!(
            ran.stderr.contains("runs in environment `production`, and this is `development`")
                && ran.stderr.contains("hint: use `-e production`"),
            "{words:?}: {}",
            ran.all()
        );
    }
    site.done(&["-p", name, "-e", "prod", "status"]);
    assert!(site.get("/").is_ok());
    // A rollback brings it back into its environment.
    site.done(&["down", "-y"]);
    site.done(&["rollback", "1", "-y"]);
    let ran = site.run(&["-p", name, "-e", "development", "down", "-y"]);
    assert!(ran.code == 2 && ran.stderr.contains("runs in environment `production`"), "{}", ran.all());
    assert!(site.get("/").is_ok());
}

#[test]
fn what_happens_is_followed() {
    let site = Site::new();
    site.done(&["deploy", "-y"]);
    let file = site.project().join("events.txt");
    let mut follow = site
        .command(&["events", "--since", "1ms", "--follow"])
        .stdout(std::fs::File::create(&file).unwrap())
        .spawn()
        .unwrap();
    let said = || std::fs::read_to_string(&file).unwrap_or_default();
    site.done(&["restart", "worker", "-y"]);
    wait_until("the restart is told", || said().contains("restart to release 1: done"));
    wait_until("the new instance is told", || {
        said().lines().any(|line| line.contains("worker.") && line.ends_with(" started"))
    });
    follow.kill().unwrap();
    follow.wait().unwrap();
}

#[test]
fn what_is_stopped_rests_until_it_is_started_or_deployed() {
    let site = Site::new();
    site.done(&["deploy", "-y"]);
    site.done(&["scale", "web=2", "-y"]);
    let asked = site.run(&["stop", "web"]);
    assert_eq!(asked.code, 2, "without a terminal nobody can answer: {}", asked.all());
    site.done(&["stop", "web", "-y"]);
    assert!(site.get("/").unwrap_err().contains("503"));
    assert_eq!(site.run(&["status"]).code, 0, "stopped is as wished");
    assert_eq!(site.run(&["exec", "web", "true"]).code, 2);
    site.done(&["start", "web", "-y"]);
    site.get("/").unwrap();
    assert_eq!(
        site.run(&["ps", "web", "--format", "json"]).stdout.matches("\"slot\"").count(),
        2,
        "as many as before"
    );
    site.done(&["stop", "-y"]);
    assert!(site.done(&["plan"]).all().contains("was stopped"));
    site.done(&["deploy", "-y"]);
    assert_eq!(
        site.run(&["ps", "web", "--format", "json"]).stdout.matches("\"slot\"").count(),
        3,
        "as the file says"
    );
    let job = site.run(&["stop", "migrate", "-y"]);
    assert_eq!(job.code, 2);
    assert!(job.stderr.contains("is a job"), "{}", job.stderr);
}
