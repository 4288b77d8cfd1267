//! What a plan says why a service changes; and who follows whom.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "code of tests")]

#[path = "support/stage.rs"]
mod stage;

use seaworthy_project::fixture::{MemoryFiles, load_yaml};
use seaworthy_release::{Action, Outcome};

use stage::Stage;

const COMPOSE: &str = "
services:
  db:
    image: db:1
    shm_size: 64m
  web:
    image: web:1
    environment: { DATABASE_URL: postgres://one }
    configs: [site]
    secrets: [password]
    volumes: ['./nginx.conf:/etc/nginx.conf:ro', './data:/data']
    depends_on: { db: { condition: service_healthy } }
    deploy: { replicas: 2 }
configs:
  site: { file: site.conf }
secrets:
  password: { file: password.txt }
";

fn files(site: &str, password: &str, nginx: &str, data: &str) -> MemoryFiles {
    MemoryFiles::new(&[
        ("site.conf", site),
        ("password.txt", password),
        ("nginx.conf", nginx),
        ("data/rows", data),
    ])
}

/// The causes of a plan from `COMPOSE` to another text, `service: cause` each.
async fn causes(after: &str, changed: MemoryFiles) -> Vec<String> {
    let mut stage = Stage::new(COMPOSE);
    stage.files = files("a", "b", "c", "d");
    assert!(matches!(stage.deploy().await, Outcome::Done { .. }));
    (stage.project, stage.files) = (load_yaml(after), changed);
    let plan = stage.operator().preview(stage.draft().await).await.unwrap();
    plan.changes.iter().map(|change| format!("{}: {}", change.service, change.cause)).collect()
}

/// The first cause of a plan.
async fn told(stage: &Stage) -> String {
    stage.operator().preview(stage.draft().await).await.unwrap().changes.remove(0).cause
}

#[tokio::test(start_paused = true)]
async fn each_change_is_told_and_no_value_is() {
    let same = || files("a", "b", "c", "d");
    assert!(causes(COMPOSE, same()).await.is_empty());
    assert!(causes(COMPOSE, files("a", "b", "c", "other rows")).await.is_empty(), "a folder is data");
    let file = |changed| causes(COMPOSE, changed);
    assert_eq!(file(files("x", "b", "c", "d")).await, ["web: config site content changed"]);
    assert_eq!(file(files("a", "x", "c", "d")).await, ["web: secret password changed (value not shown)"]);
    assert_eq!(file(files("a", "b", "x", "d")).await, ["web: file nginx.conf content changed"]);
    for (from, to, cause) in [
        ("postgres://one", "postgres://two", "web: env DATABASE_URL changed (value not shown)"),
        ("{ DATABASE_URL: ", "{ DEBUG: yes, DATABASE_URL: ", "web: env DEBUG added"),
        ("shm_size: 64m", "shm_size: 65m", "db: shm_size changed"),
        ("replicas: 2", "replicas: 3", "web: replicas 2 → 3"),
    ] {
        assert_eq!(causes(&COMPOSE.replace(from, to), same()).await, [cause]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_that_moved_is_told_from_one_with_another_name() {
    let mut stage = Stage::new(COMPOSE);
    stage.files = files("a", "b", "c", "d");
    stage.named("web", "web:1", 1);
    stage.deploy().await;
    stage.named("web", "web:1", 2);
    assert_eq!(told(&stage).await, "image digest changed");
    stage.project = load_yaml(&COMPOSE.replace("image: web:1", "image: web:2"));
    stage.named("web", "web:2", 2);
    assert_eq!(told(&stage).await, "image web:1 → web:2");
}

#[tokio::test(start_paused = true)]
async fn who_follows_is_replaced_with_whom_it_follows() {
    let follows = [
        ("depends_on: { db: { condition: service_healthy, restart: true } }", true),
        ("depends_on: { db: { condition: service_healthy } }", false),
        ("network_mode: service:db", true),
        ("pid: service:db", true),
        ("ipc: service:db", true),
        ("volumes_from: [db]", true),
    ];
    for (key, replaced) in follows {
        let compose = |memory: u32| {
            format!(
                "services:\n  web:\n    image: web:1\n    {key}\n  db:\n    image: db:1\n    shm_size: {memory}m\n"
            )
        };
        let mut stage = Stage::new(&compose(64));
        stage.deploy().await;
        stage.project = load_yaml(&compose(65));
        let plan = stage.operator().preview(stage.draft().await).await.unwrap();
        let web = plan.changes.iter().find(|change| change.service.as_str() == "web");
        assert_eq!(web.map(|change| change.cause.as_str()), replaced.then_some("db is replaced"), "{key}");
        let starts = plan.steps.iter().filter(|step| matches!(step.action, Action::Ensure { .. }));
        let order: Vec<&str> = starts.map(|step| step.action.service().unwrap().as_str()).collect();
        assert_eq!(order, if replaced { vec!["db", "web"] } else { vec!["db"] }, "{key}");
    }
}
