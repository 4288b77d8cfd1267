//! The full stack: Django, a built page, Celery, PostgreSQL and Redis behind one door.

use super::door::{Answer, exchange};
use super::example::{Example, docker};
use super::load::Load;
use super::site::{free_port, wait_at_most, wait_until};
use super::{REDELIVERED, nothing_failed, trials};

const SECRETS: [&str; 3] = ["SECRET_KEY", "DATABASE_PASSWORD", "REDIS_PASSWORD"];
/// What its programs listen on.
const PORTS: [u16; 4] = [8000, 8080, 5432, 6379];
/// A task that nobody finished is given out again after this long: more than a report of `PAGES` takes.
const TASK_SECONDS: &str = "10";
const PAGES: u64 = 16;

fn json(body: &str) -> serde_json::Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn serves(desk: &Example, version: u32) {
    let answer = desk.request("GET", "/api/version", "", "").unwrap();
    assert_eq!(json(&answer.body)["version"].as_str(), Some(desk.version(version).as_str()));
}

fn asked(desk: &Example, pages: u64) -> u64 {
    let body = format!(r#"{{"title":"Tides","pages":{pages}}}"#);
    let answer = desk.request("POST", "/api/reports", "", &body).unwrap();
    assert_eq!(answer.status, 202, "{}", answer.body);
    json(&answer.body)["number"].as_u64().unwrap()
}

fn report(desk: &Example, number: u64) -> serde_json::Value {
    json(&desk.request("GET", &format!("/api/reports/{number}"), "", "").unwrap().body)
}

#[test]
fn development_of_the_full_stack_stays_as_it_was() {
    let desk = Example::new("full-stack");
    trials::develops(&desk, "DESK_PORT", "/api/ready");
}

#[test]
fn the_full_stack_in_production() {
    let mut desk = Example::new("full-stack");
    desk.secure = true;
    let (staging, taken) = (free_port(), trials::taken(&PORTS));
    let (plain, other) = (free_port().to_string(), free_port().to_string());
    let (host, certificate) = (("DESK_HOST", "localhost"), ("DESK_CERTIFICATE", "self-signed"));
    let given = [host, certificate, ("DESK_PLAIN", &plain), ("TASK_SECONDS", TASK_SECONDS)];
    let secrets = desk.fill("production", desk.port, &given);
    desk.fill("staging", staging, &[host, ("DESK_PLAIN", &other)]);
    let before = desk.files();
    trials::is_checked(&desk, &["default-credential", "debug-mode", "source-bind-mount"]);
    trials::refuses(&desk, &SECRETS);
    trials::comes_from_a_proof(&desk, "frontend");
    too_much_is_found_by_the_plan(&desk);
    desk.ends(0, 1, &["deploy", "-y"]);
    trials::is_kept(&desk);
    let page = desk.request("GET", "/", "", "").unwrap();
    assert!(page.body.contains("/assets/index-"), "the page was built: {}", page.body);
    let sent = exchange(desk.port, "GET", "/api/reports", "", "").unwrap();
    assert_eq!(sent.status, 308, "who comes without TLS is sent to it: {}", sent.head);
    let first = asked(&desk, 1);
    wait_until("the first report is written", || report(&desk, first)["done"] == true);
    confined(&desk, &taken, &secrets);
    nothing_of_development_is_left(&desk, &page);
    trials::bears_one_id(&desk, "api", "/api/version");
    trials::stands_beside_staging(&desk, staging, "/api/ready");
    a_killed_worker_loses_nothing(&desk);
    a_stopped_database_comes_back(&desk);

    let door = desk.door(desk.port);
    let load = Load::of(move || {
        let both = [("/api/reports", "Tides"), ("/", "Report desk")];
        both.iter().try_for_each(|(path, text)| match exchange(door.clone(), "GET", path, "", "")? {
            Answer { status: 200, body, .. } if body.contains(text) => Ok(()),
            other => Err(format!("{path}: {other:?}")),
        })
    });
    desk.ends(0, 2, &["deploy", "-y"]);
    serves(&desk, 2);
    desk.change("api/reports/views.py", "Report.objects.exists)", "Reports.objects.exists)");
    let broken = desk.ends(3, 3, &["deploy", "-y"]);
    assert!(broken.stderr.contains("wrote last"), "{}", broken.stderr);
    serves(&desk, 2);
    desk.change("api/reports/views.py", "Reports.objects.exists)", "Report.objects.exists)");
    desk.ends(0, 2, &["rollback", "-y"]);
    serves(&desk, 1);
    nothing_failed(load, 300);
    trials::survives_a_kill(&desk, "api");

    assert_eq!(report(&desk, first)["done"], true, "what was written is still there");
    assert!(desk.files() == before, "no file was changed");
    desk.comes_down(2);
}

fn confined(desk: &Example, taken: &[u16], secrets: &[String]) {
    trials::only_the_gateway_is_reached(desk, &PORTS, taken);
    trials::has_secrets_as_files(desk, secrets);
    trials::reaches(desk, "api", "db", 5432);
    trials::reaches(desk, "worker", "redis", 6379);
    trials::cannot_reach(desk, "frontend", "db", 5432);
    trials::cannot_reach(desk, "frontend", "redis", 6379);
}

/// A limit that the machine cannot keep is found before anything is started.
fn too_much_is_found_by_the_plan(desk: &Example) {
    let filled = desk.text(".env.production");
    desk.write(".env.production", &format!("{filled}DATABASE_CPUS=512\n"));
    let told = desk.run(1, &["plan"]).all();
    assert!(told.contains("`db` has a limit of 512 processors"), "{told}");
    let refused = desk.run(1, &["deploy", "-y"]);
    assert_ne!(refused.code, 0, "{}", refused.all());
    assert_eq!(desk.left(&["ps", "--all"]), [""; 0], "nothing was started");
    desk.write(".env.production", &filled);
}

/// No page for developers, no mounted source, headers that browsers heed, logs that rotate, and what was tuned is tuned.
fn nothing_of_development_is_left(desk: &Example, page: &Answer) {
    let says = |answer: &Answer, header: &str| answer.head.to_ascii_lowercase().contains(header);
    assert!(says(page, "content-security-policy: default-src 'self'"), "{}", page.head);
    let unknown = desk.request("GET", "/api/no-such-page", "", "").unwrap();
    assert!(unknown.status == 404 && !unknown.body.contains("URLconf"), "{}", unknown.body);
    for header in ["strict-transport-security: max-age=31536000", "x-content-type-options: nosniff"] {
        assert!(says(&unknown, header), "{header}: {}", unknown.head);
    }
    let format = "{{range .Mounts}}{{.Source}} {{end}}{{json .HostConfig.LogConfig.Config}}";
    let source = desk.project().display().to_string();
    let rotated =
        ["\"compress\":\"true\"", "\"labels\":\"com.docker.compose.service\"", "\"max-size\":\"10m\""];
    for container in desk.left(&["ps"]) {
        let told = docker(&["inspect", "--format", format, &container]).concat();
        assert!(!told.contains(&source), "no source is mounted: {told}");
        assert!(rotated.iter().all(|option| told.contains(option)), "{told}");
    }
    let inside = |service: &str, command: &str| {
        docker(&["exec", &desk.containers(service)[0], "sh", "-c", command]).join(" ")
    };
    // Its main process and one for each task at a time.
    let workers = inside("worker", "grep -l '[c]elery' /proc/[0-9]*/cmdline");
    assert_eq!(workers.split_whitespace().count(), 3, "{workers}");
    assert_eq!(inside("db", "psql -U desk -d desk -Atc 'SHOW shared_buffers'"), "256MB");
    let queue = [("maxmemory", "134217728"), ("maxmemory-policy", "noeviction"), ("appendfsync", "everysec")];
    trials::redis_is_tuned(desk, "$(cat /run/secrets/redis_password)", &queue);
    trials::is_asked_every(desk, "30s", &["db", "redis", "worker"]);
    // A line that was logged bears the label that the options name.
    let logged = docker(&["logs", "--details", "--tail", "1", &desk.containers("api")[0]]).concat();
    assert!(logged.contains("com.docker.compose.service=api"), "{logged}");
}

/// Every worker is killed in the middle of a report; it is written to its end all the same.
fn a_killed_worker_loses_nothing(desk: &Example) {
    let number = asked(desk, PAGES);
    wait_until("some pages are written", || report(desk, number)["written"].as_u64() > Some(2));
    let workers = desk.containers("worker");
    assert_eq!(workers.len(), 2);
    for worker in &workers {
        let process = docker(&["inspect", "--format", "{{.State.Pid}}", worker]).concat();
        assert!(std::process::Command::new("kill").args(["-9", &process]).status().unwrap().success());
    }
    let cut = report(desk, number);
    assert_eq!(cut["done"], false, "it was killed in the middle: {cut}");
    wait_at_most(REDELIVERED, "the report is written to its end", || report(desk, number)["done"] == true);
    assert_eq!(report(desk, number)["begun"], 2, "another one went on with it");
}

/// Without its database the service says that it is not ready, and serves again by itself once that is back.
fn a_stopped_database_comes_back(desk: &Example) {
    desk.ends(0, 1, &["stop", "db", "-y"]);
    wait_until("the service is not ready", || {
        desk.request("GET", "/api/ready", "", "").is_ok_and(|answer| answer.status == 503)
    });
    assert!(trials::answers(desk, "/"), "the page needs no database");
    desk.ends(0, 1, &["start", "db", "-y"]);
    wait_until("the service is ready again", || trials::answers(desk, "/api/ready"));
}
