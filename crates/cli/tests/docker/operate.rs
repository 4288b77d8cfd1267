//! Operating on a real Docker Engine: verified, looked into, stopped and started, and its failures kept.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::site::{CANARY, Ran, wait_until};
use crate::{Containers, docker};

/// A service with every promise that can be broken from outside.
fn hardened(shop: &Containers) -> String {
    shop.compose(2).replace(
        "    secrets: [token]\n",
        "    secrets: [token]\n    user: \"1000:1000\"\n    read_only: true\n    restart: always\n    cap_drop: [ALL]\n    security_opt: [\"no-new-privileges:true\"]\n    mem_limit: 128m\n    pids_limit: 100\n    ulimits: { nofile: 4000 }\n    tmpfs: [/tmp]\n",
    )
}

fn containers(shop: &Containers, service: &str) -> Vec<String> {
    let label = format!("label=dev.seaworthy.service={service}");
    let project = format!("label=dev.seaworthy.project={}", shop.project);
    docker(&["ps", "--quiet", "--filter", &label, "--filter", &project])
}

fn rules(ran: &Ran) -> Vec<String> {
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let broken = told["broken"].as_array().unwrap().iter();
    let mut rules: Vec<String> = broken.map(|broken| broken["rule"].as_str().unwrap().to_owned()).collect();
    rules.sort();
    rules.dedup();
    rules
}

#[test]
fn promises_are_verified_and_what_breaks_them_is_told() {
    let shop = Containers::new();
    shop.site.write("compose.yaml", &hardened(&shop));
    // Nobody mends what this test breaks before it is seen.
    let deployed = shop.site.run_with(&["--engine", "docker", "deploy", "-y"], &[("SEAWORTHY_AGENT", "off")]);
    assert_eq!(deployed.code, 0, "{}", deployed.all());
    assert!(!deployed.stderr.contains("promised"), "{}", deployed.stderr);
    let kept = shop.run(&["verify"]);
    assert_eq!(kept.code, 0, "{}", kept.all());
    assert!(kept.stdout.contains("0 broken, 0 not seen"), "{}", kept.stdout);
    let one = &containers(&shop, "web")[0];
    docker(&["update", "--memory=256m", "--memory-swap=256m", "--restart=no", one]);
    let other = format!("{}-other", shop.project);
    docker(&["network", "create", &other]);
    docker(&["network", "connect", &other, one]);
    let broken = shop.run(&["verify", "--format", "json"]);
    assert_eq!(broken.code, 1, "{}", broken.all());
    assert_eq!(rules(&broken), ["limit-not-kept", "other-network", "other-restart-policy"]);
    assert!(!broken.all().contains(CANARY));
    let text = shop.run(&["verify"]);
    let line = 1 + hardened(&shop).lines().position(|line| line.contains("mem_limit")).unwrap();
    assert!(text.stdout.contains(&format!("compose.yaml:{line}:")), "{}", text.stdout);
    docker(&["rm", "--force", one]);
    docker(&["network", "rm", &other]);
    let gone = shop.run(&["verify", "--format", "json"]);
    assert_eq!((gone.code, rules(&gone)), (1, vec!["other-route".to_owned(), "replica-missing".to_owned()]));
    shop.done(&["deploy", "-y"]);
    assert_eq!(shop.run(&["verify"]).code, 0, "a deploy mends it");
}

#[test]
fn commands_run_inside_and_what_happens_is_told() {
    let shop = Containers::new();
    shop.done(&["deploy", "-y"]);
    let base: &[&str] = &[
        "exec",
        "-T",
        "--index",
        "2",
        "-e",
        "GREETING=other",
        "-e",
        "ROLE=print",
        "-w",
        "/bin",
        "web",
        "--",
    ];
    let missing = shop.run(&[base, &["/bin/nothing-there"]].concat());
    assert!([126, 127].contains(&missing.code), "{}", missing.all());
    let nobody = shop.run(&["exec", "--index", "9", "web", "/bin/sample"]);
    assert_eq!(nobody.code, 2, "{}", nobody.all());
    assert!(nobody.stderr.contains("no instance 9 of service `web` runs"), "{}", nobody.stderr);
    // The sample as a job ends with the code that its variable names.
    let code = shop.run(&["exec", "-T", "-e", "EXIT_CODE=7", "worker", "/bin/sample"]);
    assert_eq!(code.code, 7, "{}", code.all());
    let mut child = shop
        .site
        .command(&["--engine", "docker", "exec", "-T", "-e", "ROLE=worker", "web", "/bin/sample"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"nothing\n").unwrap();
    let before = containers(&shop, "web").len();
    wait_until("it runs", || child.try_wait().unwrap().is_none());
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    wait_until("a signal ends it", || child.try_wait().unwrap().is_some());
    assert_eq!(containers(&shop, "web").len(), before, "the instance runs on");
    let stats = shop.done(&["stats", "--format", "json"]);
    let used: Vec<serde_json::Value> =
        stats.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(used.len(), 4, "three of web and a worker: {}", stats.stdout);
    assert!(
        used.iter()
            .all(|used| used["memory_bytes"].as_u64().unwrap() > 0 && used["pids"].as_u64().unwrap() > 0)
    );
    let events = shop.done(&["events", "--format", "json"]);
    let kinds: Vec<serde_json::Value> =
        events.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for kind in ["change-began", "step-done", "instance-made", "instance-started", "change-ended"] {
        assert!(kinds.iter().any(|event| event["kind"] == kind), "no {kind} in {}", events.stdout);
    }
    let times: Vec<jiff::Timestamp> =
        kinds.iter().map(|event| event["at"].as_str().unwrap().parse().unwrap()).collect();
    assert!(times.is_sorted(), "{}", events.stdout);
}

#[test]
fn what_is_stopped_rests_until_it_is_started_or_deployed() {
    let shop = Containers::new();
    shop.done(&["deploy", "-y"]);
    shop.done(&["scale", "web=2", "-y"]);
    shop.done(&["stop", "web", "-y"]);
    assert_eq!(containers(&shop, "web"), [""; 0]);
    assert_eq!(containers(&shop, "worker").len(), 1);
    assert!(shop.site.get("/").unwrap_err().contains("503"), "the gateway answers");
    assert!(shop.done(&["status"]).stdout.contains("stopped"));
    assert_eq!(shop.run(&["verify"]).code, 0, "stopped is as promised");
    shop.done(&["start", "-y"]);
    assert_eq!(containers(&shop, "web").len(), 2, "as many as before");
    shop.site.get("/").unwrap();
    shop.done(&["stop", "-y"]);
    let plan = shop.done(&["plan"]);
    assert!(plan.all().contains("was stopped"), "{}", plan.all());
    shop.done(&["deploy", "-y"]);
    assert_eq!(containers(&shop, "web").len(), 3, "as the file says");
    let job = shop.run(&["stop", "migrate", "-y"]);
    assert_eq!(job.code, 2, "{}", job.all());
}

#[test]
fn want_of_memory_is_told_as_such_and_the_evidence_is_kept() {
    let shop = Containers::new();
    let hungry = format!("{}-hungry", shop.project);
    let folder = shop.site.project().join("hungry");
    std::fs::create_dir_all(&folder).unwrap();
    shop.site.write(
        "hungry/Dockerfile",
        "FROM debian:trixie-slim\nCMD [\"sh\", \"-c\", \"x=$TOKEN; while true; do x=$x$x$x; done\"]\n",
    );
    let compose = shop.compose(1);
    let service = "  hungry:\n    build: ./hungry\n    mem_limit: 16m\n    memswap_limit: 16m\n    environment: { TOKEN: \"${API_TOKEN}\" }\n    stop_grace_period: 1s\n    healthcheck: { test: [CMD, \"false\"], interval: 1s, retries: 1 }\n";
    shop.site.write("compose.yaml", &compose.replace("services:\n", &format!("services:\n{service}")));
    let failed = shop.run(&["deploy", "-y"]);
    assert_eq!(failed.code, 3, "{}", failed.all());
    assert!(failed.stderr.contains("was killed for want of memory: limit 16 MiB"), "{}", failed.stderr);
    assert!(failed.stderr.contains("deploy.resources.limits.memory"), "{}", failed.stderr);
    let kept =
        failed.stderr.lines().find_map(|line| line.trim().strip_prefix("what was seen is kept in ")).unwrap();
    let names: Vec<String> = std::fs::read_dir(kept)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    for wanted in ["README.txt", "failure.json", "events.jsonl"] {
        assert!(names.contains(&wanted.to_owned()), "{names:?}");
    }
    assert!(
        names.iter().any(|name| name.starts_with("hungry.") && name.ends_with(".inspect.json")),
        "{names:?}"
    );
    let all: String =
        names.iter().map(|name| std::fs::read_to_string(format!("{kept}/{name}")).unwrap()).collect();
    assert!(all.contains("instance-started") && all.contains("\"OOMKilled\": true"), "{all}");
    assert!(!all.contains(CANARY), "a secret is in the bundle");
    docker(&["rmi", &hungry]);
}

#[test]
fn volumes_go_only_when_they_are_asked_for_by_name() {
    let shop = Containers::new();
    shop.done(&["deploy", "-y"]);
    let unasked = shop.run(&["down", "--volumes"]);
    assert_eq!(unasked.code, 2, "without a terminal nobody can answer: {}", unasked.all());
    shop.done(&["down", "-y"]);
    assert_eq!(shop.left(&["volume", "ls"]).len(), 1);
    let gone = shop.done(&["down", "--volumes", "-y"]);
    assert!(gone.stderr.contains(&format!("volume {}_data goes", shop.project)), "{}", gone.stderr);
    assert!(gone.stderr.contains(&format!("volume {}_data is deleted", shop.project)), "{}", gone.stderr);
    assert!(!gone.stderr.contains("nothing to do"), "{}", gone.stderr);
    assert_eq!(shop.left(&["volume", "ls"]), [""; 0]);
}
