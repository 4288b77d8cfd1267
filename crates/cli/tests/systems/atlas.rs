//! Atlas: a web application with sessions in Redis and data in PostgreSQL.

use std::collections::BTreeSet;

use super::door::{Answer, Door, exchange};
use super::example::{Example, docker};
use super::load::Load;
use super::site::{free_port, wait_until};
use super::{compose, nothing_failed, trials};

/// What its programs listen on.
const PORTS: [u16; 3] = [3000, 5432, 6379];
const SECRETS: [&str; 3] = ["JWT_SECRET", "DATABASE_PASSWORD", "REDIS_PASSWORD"];
/// Requests that staging allows a user within a minute.
const FEW: usize = 3;
const ACCOUNT: &str = r#"{"name":"ada","password":"lovelace-1815"}"#;

/// Atlas with the values that its template asks for.
fn filled_in() -> Example {
    let atlas = Example::new("atlas");
    atlas.fill("production", atlas.port, &[("API_RATE_LIMIT", "1000000")]);
    atlas
}

fn signed_in(atlas: &Example) -> String {
    let answer = atlas.request("POST", "/sessions", "", ACCOUNT).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    text_of(&answer.body, "token")
}

fn text_of(body: &str, key: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(body).unwrap();
    value[key].as_str().unwrap().to_owned()
}

/// Reads by a session that every replica must know. `token` may be headers as they are.
fn load(port: u16, token: &str) -> Load {
    let token = token.to_owned();
    Load::of(move || match exchange(port, "GET", "/me", &token, "") {
        Ok(answer) if answer.status == 200 && answer.body.contains("ada") => Ok(()),
        Ok(answer) => Err(format!("{} {}", answer.status, answer.body)),
        Err(error) => Err(error),
    })
}

fn serves(atlas: &Example, version: u32) {
    let answer = atlas.request("GET", "/version", "", "").unwrap();
    assert_eq!(text_of(&answer.body, "version"), atlas.version(version));
}

#[test]
fn development_of_atlas_stays_as_it_was() {
    let atlas = filled_in();
    let before = atlas.files();
    let arguments = ["up", "--detach", "--build", "--quiet-pull"];
    atlas.compose(&compose(), &arguments, "ATLAS_PORT");
    wait_until("atlas is ready", || {
        atlas.request("GET", "/ready", "", "").is_ok_and(|answer| answer.status == 200)
    });
    let answer = atlas.request("POST", "/users", "", ACCOUNT).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.body);
    signed_in(&atlas);
    atlas.compose(&compose(), &["down", "--volumes", "--timeout", "2"], "ATLAS_PORT");
    assert!(atlas.files() == before, "no file was changed");
}

#[test]
fn atlas_in_production() {
    let atlas = filled_in();
    let (staging, taken) = (free_port(), trials::taken(&PORTS));
    atlas.fill("staging", staging, &[("API_RATE_LIMIT", &FEW.to_string())]);
    let before = atlas.files();
    trials::is_checked(&atlas, &["default-credential", "missing-healthcheck", "source-bind-mount"]);
    trials::refuses(&atlas, &SECRETS);
    atlas.ends(0, 1, &["deploy", "-y"]);
    trials::is_kept(&atlas);
    trials::only_the_gateway_is_reached(&atlas, &PORTS, &taken);
    trials::cannot_reach(&atlas, "redis", "db", 5432);
    trials::stands_beside_staging_used(&atlas, staging, "/ready", too_many_are_refused);
    let token = used(&atlas);
    confined(&atlas);
    let sessions = [("maxmemory", "201326592"), ("maxmemory-policy", "volatile-ttl"), ("appendonly", "no")];
    trials::redis_is_tuned(&atlas, "$(cat /run/secrets/redis_password)", &sessions);
    trials::is_asked_every(&atlas, "10s", &["db", "redis"]);
    trials::bears_one_id(&atlas, "web", "/version");

    let load = load(atlas.port, &token);
    atlas.ends(0, 2, &["deploy", "-y"]);
    serves(&atlas, 2);
    let source = "src/database.js";
    atlas.change(source, "FROM places LIMIT", "FROM tours LIMIT");
    let broken = atlas.ends(3, 3, &["deploy", "-y"]);
    assert!(broken.stderr.contains("503"), "{}", broken.stderr);
    serves(&atlas, 2);
    atlas.change(source, "FROM tours LIMIT", "FROM places LIMIT");
    atlas.ends(0, 2, &["rollback", "-y"]);
    serves(&atlas, 1);
    atlas.ends(0, 1, &["scale", "web=4", "-y"]);
    assert_eq!(atlas.containers("web").len(), 4);
    atlas.ends(0, 1, &["scale", "web=2", "-y"]);
    assert_eq!(atlas.containers("web").len(), 2);
    nothing_failed(load, 1000);
    trials::survives_a_kill(&atlas, "web");
    sticks(&atlas, &token);
    atlas.ends(0, 1, &["stop", "db", "-y"]);
    wait_until("atlas is not ready", || {
        atlas.request("GET", "/ready", "", "").is_ok_and(|answer| answer.status == 503)
    });
    atlas.ends(0, 1, &["start", "db", "-y"]);
    wait_until("atlas is ready again", || trials::answers(&atlas, "/ready"));

    let kept = atlas.request("GET", "/places", &token, "").unwrap();
    assert!(kept.body.contains("Lisbon"), "what was written before is still there: {}", kept.body);
    assert!(atlas.files() == before, "no file was changed");
    atlas.comes_down(1);
}

/// Uses Atlas as a person does: signs in, reads and writes, by whichever replica answers, and signs out.
fn used(atlas: &Example) -> String {
    serves(atlas, 1);
    let made = atlas.request("POST", "/users", "", ACCOUNT).unwrap();
    assert_eq!(made.status, 201, "{}", made.body);
    let token = signed_in(atlas);
    let instances: BTreeSet<String> = (0..12)
        .map(|_| {
            let answer = atlas.request("GET", "/me", &token, "").unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
            text_of(&answer.body, "instance")
        })
        .collect();
    assert_eq!(instances.len(), 3, "every replica knows the session: {instances:?}");
    let place = r#"{"latitude":38.7,"longitude":-9.1}"#;
    assert_eq!(atlas.request("PUT", "/places/Lisbon", &token, place).unwrap().status, 204);
    assert_eq!(atlas.request("DELETE", "/sessions", &token, "").unwrap().status, 204);
    for _ in 0..6 {
        assert_eq!(atlas.request("GET", "/me", &token, "").unwrap().status, 401, "signed out everywhere");
    }
    signed_in(atlas)
}

/// Who asks too often within a minute is told when to come again, by whichever replica answers; others are served.
fn too_many_are_refused(door: Door) {
    let ask = |method: &str, path: &str, token: &str, body: &str| {
        exchange(door.clone(), method, path, token, body).unwrap()
    };
    assert_eq!(ask("POST", "/users", "", ACCOUNT).status, 201);
    let token = text_of(&ask("POST", "/sessions", "", ACCOUNT).body, "token");
    // A new minute may begin between two of them.
    let answers: Vec<Answer> = (0..=2 * FEW).map(|_| ask("GET", "/me", &token, "")).collect();
    let refused = answers.iter().find(|answer| answer.status != 200).expect("some were too many");
    assert_eq!(refused.status, 429, "{}", refused.body);
    let head = refused.head.to_ascii_lowercase();
    let seconds = head.lines().find_map(|line| line.strip_prefix("retry-after: ")).expect("it says when");
    assert!((1..=60).contains(&seconds.parse::<u32>().unwrap()), "{head}");
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((FEW..=2 * FEW).contains(&served), "{served} were served");
    assert_eq!(ask("GET", "/version", "", "").status, 200, "nobody else is kept waiting");
}

/// With sticky sessions a client keeps to its replica as long as that is there, and is led on when it goes.
fn sticks(atlas: &Example, token: &str) {
    let overlay = "compose.sticky.yaml";
    let sticky = "services: { web: { x-seaworthy: { route: { sticky: true } } } }\n";
    atlas.write(overlay, &format!("x-seaworthy: {{ overlay: true }}\n{sticky}"));
    let files = ["-f", "compose.yaml", "-f", "compose.production.yaml", "-f", overlay, "deploy", "-y"];
    atlas.ends(0, 2, &files);
    let first = atlas.request("GET", "/version", "", "").unwrap();
    let cookie = first.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let cookie = format!("cookie: {}", cookie.split(';').next().unwrap());
    let instance = text_of(&first.body, "instance");
    for _ in 0..12 {
        let again = atlas.request("GET", "/version", &cookie, "").unwrap();
        assert_eq!(text_of(&again.body, "instance"), instance);
    }
    let load = load(atlas.port, &format!("{cookie}\r\nauthorization: Bearer {token}"));
    atlas.ends(0, 1, &files);
    nothing_failed(load, 100);
    let led_on = atlas.request("GET", "/version", &cookie, "").unwrap();
    assert_ne!(text_of(&led_on.body, "instance"), instance);
    std::fs::remove_file(atlas.project().join(overlay)).unwrap();
}

/// What the overlay promises of each container of `web`, as the engine tells it and as it is inside.
fn confined(atlas: &Example) {
    let format = "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} \
                  {{.HostConfig.MemoryReservation}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}";
    let containers = atlas.containers("web");
    assert_eq!(containers.len(), 3);
    for container in &containers {
        let told = docker(&["inspect", "--format", format, container]).concat();
        let promised = "1001:1001 true 1073741824 1000000000 536870912 [ALL] [no-new-privileges=true]";
        assert_eq!(told, promised);
        let inside =
            "touch /app/x 2>/dev/null && echo written; touch /tmp/x && echo temporary; cat /proc/1/environ";
        let inside = docker(&["exec", container, "sh", "-c", inside]).concat();
        assert!(inside.starts_with("temporary"), "the root is read-only, /tmp is not: {inside}");
        let values = std::fs::read_to_string(atlas.project().join(".env.production")).unwrap();
        for secret in SECRETS {
            let line = values.lines().find(|line| line.starts_with(secret)).unwrap();
            let (_, value) = line.split_once('=').unwrap();
            assert!(!inside.contains(value), "{secret} is a file, not a variable");
        }
    }
    let published = docker(&["ps", "--format", "{{.Names}} {{.Ports}}"]);
    let name = format!("atlas{}-", atlas.port);
    assert!(
        !published.iter().any(|line| line.starts_with(&name) && line.contains("->")),
        "only the gateway is reached from outside: {published:?}"
    );
    // Redis is not on the network of the database, so its name means nothing there.
    let redis = atlas.containers("redis");
    let found = docker(&["exec", &redis[0], "sh", "-c", "getent hosts db || echo unknown"]).concat();
    assert_eq!(found, "unknown");
}
