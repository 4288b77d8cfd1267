//! The knowledge base: nine services, work that waits in a queue, and a vector database.

use std::time::{Duration, Instant};

use super::door::exchange;
use super::example::{Example, docker};
use super::load::Load;
use super::site::{free_port, wait_at_most, wait_until};
use super::{REDELIVERED, nothing_failed, trials};

const SECRETS: [&str; 4] = ["DATABASE_PASSWORD", "REDIS_PASSWORD", "STORAGE_SECRET_KEY", "MODEL_MASTER_KEY"];
/// What its programs listen on.
const PORTS: [u16; 5] = [8000, 8080, 9000, 5432, 6379];
const TIDES: &str = "The tide rises twice a day because the moon pulls the sea";
/// What each may use, as the team gave it: MiB and thousandths of a processor.
const LIMITS: [(&str, u64, u64); 7] = [
    ("api", 1024, 1000),
    ("worker", 2048, 2000),
    ("beat", 256, 250),
    ("frontend", 512, 500),
    ("postgres", 2048, 1000),
    ("redis", 512, 500),
    ("vector", 4096, 2000),
];
/// How long it may take to say whether it is ready, whatever does not answer.
const SAID: Duration = Duration::from_secs(5);
const JSON: &str = "content-type: application/json";

fn json(body: &str) -> serde_json::Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn serves(base: &Example, version: u32) {
    let answer = base.request("GET", "/api/version", "", "").unwrap();
    assert_eq!(json(&answer.body)["version"].as_str(), Some(base.version(version).as_str()));
}

fn added(base: &Example, text: &str) -> u64 {
    let body = serde_json::json!({ "title": "A document", "text": text }).to_string();
    let answer = base.request("POST", "/api/documents", JSON, &body).unwrap();
    assert_eq!(answer.status, 202, "{}", answer.body);
    json(&answer.body)["number"].as_u64().unwrap()
}

fn document(base: &Example, number: u64) -> serde_json::Value {
    json(&base.request("GET", &format!("/api/documents/{number}"), "", "").unwrap().body)
}

fn is_found(port: u16) -> Result<(), String> {
    let answer = exchange(port, "GET", "/api/search?q=moon+sea", "", "")?;
    if answer.status == 200 && answer.body.contains(TIDES) { Ok(()) } else { Err(format!("{answer:?}")) }
}

#[test]
fn development_of_the_knowledge_base_stays_as_it_was() {
    let base = Example::new("knowledge-base");
    trials::develops(&base, "KNOWLEDGE_PORT", "/api/ready");
}

#[test]
fn the_knowledge_base_in_production() {
    let base = Example::new("knowledge-base");
    let taken = trials::taken(&PORTS);
    let parts = base.version(1);
    let given = [("PARTS_VERSION", parts.as_str()), ("PATIENCE_SECONDS", "4"), ("SWEEP_SECONDS", "2")];
    base.fill("production", base.port, &given);
    let staging = free_port();
    base.fill("staging", staging, &given);
    let before = base.files();
    trials::is_checked(&base, &["credential-default", "default-credential", "source-bind-mount"]);
    trials::refuses(&base, &SECRETS);
    base.ends(0, 1, &["deploy", "-y"]);
    trials::is_kept(&base);
    let told = base.ends(0, 1, &["verify"]).stdout;
    assert!(told.contains("credentials come as variables") && told.contains("DATABASE_PASSWORD"), "{told}");
    used(&base);
    trials::only_the_gateway_is_reached(&base, &PORTS, &taken);
    trials::reaches(&base, "worker", "vector", 8000);
    for (service, memory, processors) in LIMITS {
        let format = "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}";
        let told = docker(&["inspect", "--format", format, &base.containers(service)[0]]).concat();
        assert_eq!(told, format!("{} {}", memory << 20, processors * 1_000_000), "{service}");
    }
    trials::is_asked_every(&base, "30s", &["postgres", "redis", "worker", "vector"]);
    let queue = [("maxmemory", "402653184"), ("maxmemory-policy", "noeviction"), ("appendonly", "yes")];
    trials::redis_is_tuned(&base, "$REDIS_PASSWORD", &queue);
    for (service, port) in [("postgres", 5432), ("redis", 6379), ("vector", 8000), ("storage", 9000)] {
        trials::cannot_reach(&base, "frontend", service, port);
    }
    trials::cannot_reach(&base, "models", "postgres", 5432);
    trials::stands_beside_staging(&base, staging, "/api/ready");
    a_killed_worker_loses_nothing(&base);
    stopped_parts_come_back(&base);
    trials::bears_one_id(&base, "api", "/api/version");

    let port = base.port;
    let load = Load::of(move || is_found(port));
    base.ends(0, 2, &["deploy", "-y"]);
    serves(&base, 2);
    base.change("app/kb/parts.py", "FROM documents LIMIT 1", "FROM papers LIMIT 1");
    let broken = base.ends(3, 3, &["deploy", "-y"]);
    assert!(broken.stderr.contains("503"), "{}", broken.stderr);
    serves(&base, 2);
    base.change("app/kb/parts.py", "FROM papers LIMIT 1", "FROM documents LIMIT 1");
    base.ends(0, 2, &["rollback", "-y"]);
    serves(&base, 1);
    nothing_failed(load, 100);
    trials::survives_a_kill(&base, "api");

    is_found(port).unwrap();
    assert!(base.files() == before, "no file was changed");
    base.comes_down(4);
}

/// Uses it as a person does: adds a document, waits until it is indexed, finds it; looks at workers and queues.
fn used(base: &Example) {
    let ready = base.request("GET", "/api/ready", "", "").unwrap();
    for part in ["database", "redis", "vector"] {
        assert!(json(&ready.body)[part]["milliseconds"].is_u64(), "{}", ready.body);
    }
    let number = added(base, TIDES);
    wait_at_most(REDELIVERED, "the document is indexed", || document(base, number)["indexed"] == true);
    is_found(base.port).unwrap();
    let page = base.request("GET", "/", "", "").unwrap();
    assert!(page.body.contains("Knowledge base"), "{}", page.body);
    let workers = base.request("GET", "/api/workers", "", "").unwrap();
    assert!(workers.body.contains("celery@"), "{}", workers.body);
    let queues = base.request("GET", "/api/queues", "", "").unwrap();
    assert!(json(&queues.body)["waiting"].is_u64(), "{}", queues.body);
}

/// The worker is killed in the middle of a document, and it is indexed all the same.
fn a_killed_worker_loses_nothing(base: &Example) {
    // 25 passages, each a while at the models.
    let number = added(base, &"word ".repeat(300));
    wait_until("it is begun", || document(base, number)["begun"].as_u64() > Some(0));
    let worker = &base.containers("worker")[0];
    let process = docker(&["inspect", "--format", "{{.State.Pid}}", worker]).concat();
    assert!(std::process::Command::new("kill").args(["-9", &process]).status().unwrap().success());
    let cut = document(base, number);
    assert_eq!(cut["indexed"], false, "it was killed in the middle: {cut}");
    wait_at_most(REDELIVERED, "the document is indexed", || document(base, number)["indexed"] == true);
    assert!(document(base, number)["begun"].as_u64() > Some(1), "it was begun again");
}

/// Without the database, and without the vectors, it says that it is not ready, and serves again once they are back.
fn stopped_parts_come_back(base: &Example) {
    for (part, check) in [("postgres", "database"), ("vector", "vector")] {
        base.ends(0, 1, &["stop", part, "-y"]);
        wait_until("it says in time what it is missing", || is_said(base, check));
        wait_until("it is not ready", || {
            base.request("GET", "/api/ready", "", "").is_ok_and(|answer| answer.status == 503)
        });
        base.ends(0, 1, &["start", part, "-y"]);
        wait_until("it is ready again", || trials::answers(base, "/api/ready"));
    }
    wait_until("what was added is found", || is_found(base.port).is_ok());
}

/// Whether a replica says within 5 s that `missing` does not answer and that the others do, with the time that each took.
fn is_said(base: &Example, missing: &str) -> bool {
    let asked = Instant::now();
    // Without a replica that is ready the gateway lets requests wait.
    let Ok(answer) = trials::asked_directly(base, "api", 8000, "/api/ready") else { return false };
    let (took, told) = (asked.elapsed(), json(&answer.body));
    for part in ["database", "redis", "vector"] {
        assert!(told[part]["milliseconds"].is_u64(), "{part}: {told}");
    }
    let own = told["milliseconds"].as_u64().unwrap();
    assert!(u128::from(own) < SAID.as_millis(), "by its own clock it took {own} ms: {told}");
    let mut others = ["database", "redis", "vector"].into_iter().filter(|part| *part != missing);
    answer.status == 503
        && told[missing]["ok"] == false
        && others.all(|part| told[part]["ok"] == true)
        && took < SAID
}
