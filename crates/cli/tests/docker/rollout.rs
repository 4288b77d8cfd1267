//! Order, jobs, who follows whom, changed networks, and what another tool left, on a real Docker Engine.

use super::{Containers, docker};

const COMPOSE: &str = "name: shop{port}
services:
  db:
    build: ./image
    environment: { ROLE: worker }
    stop_grace_period: 1s
    networks: [back]
  migrate:
    build: ./image
    environment: { EXIT_CODE: '0' }
    depends_on: { db: { condition: service_started } }
    networks: [back]
  web:
    build: ./image
    environment: { ROLE: worker, GREETING: one }
    volumes: ['./site.conf:/site.conf:ro']
    depends_on:
      db: { condition: service_started, restart: true }
      migrate: { condition: service_completed_successfully }
    deploy: { replicas: 2, update_config: { parallelism: 1, delay: 200ms, failure_action: pause } }
    stop_grace_period: 1s
    networks: [back]
networks:
  back: { internal: false }
x-seaworthy:
  rollout: { ready_deadline: 5s, min_healthy: 200ms, drain: 5s }
";

/// Each part stands in the text, first after the one before it.
fn stands_before(text: &str, order: &[&str]) {
    let places: Vec<Option<usize>> = order.iter().map(|part| text.find(part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{order:?} at {places:?}:\n{text}");
}

#[test]
fn levels_followers_files_networks_and_orphans_are_as_the_plan_says() {
    let shop = Containers::new();
    let compose = COMPOSE.replace("{port}", &shop.site.port.to_string());
    shop.site.write("compose.yaml", &compose);
    shop.site.write("site.conf", "a");
    let orphan = format!("{}-old-1", shop.project);
    let label = format!("com.docker.compose.project={}", shop.project);
    // Made and never started: it needs neither a network nor a program.
    docker(&[
        "create",
        "--network",
        "none",
        "--name",
        &orphan,
        "--label",
        &label,
        "debian:trixie-slim",
        "true",
    ]);

    let first = shop.done(&["deploy", "-y"]).all();
    stands_before(&first, &["start db.", "wait until db.", "run job migrate", "start web."]);
    assert!(first.contains(&format!("container `{orphan}` is there")), "{first}");
    assert!(docker(&["ps", "-aq", "--filter", &format!("name=^{orphan}$")]).len() == 1, "it stays");

    shop.site.write("site.conf", "b");
    let changed = shop.run(&["plan", "--exit-code"]);
    assert_eq!(changed.code, 1, "{}", changed.all());
    assert!(changed.all().contains("file site.conf content changed"), "{}", changed.all());
    stands_before(&changed.all(), &["stop web.", "wait 0.2 s before the next group of web"]);

    shop.site.write(
        "compose.yaml",
        &compose.replace("ROLE: worker }\n    stop", "ROLE: worker, A: b }\n    stop"),
    );
    let followed = shop.done(&["plan"]).all();
    assert!(followed.contains("env A added") && followed.contains("db is replaced"), "{followed}");

    shop.site.write("compose.yaml", &compose.replace("internal: false", "internal: true"));
    let refused = shop.run(&["plan"]);
    assert_eq!(refused.code, 2, "{}", refused.all());
    assert!(refused.all().contains("which is there with another `internal`"), "{}", refused.all());

    shop.site.write("compose.yaml", &compose);
    shop.done(&["deploy", "-y", "--remove-orphans"]);
    assert!(docker(&["ps", "-aq", "--filter", &format!("name=^{orphan}$")]).is_empty(), "it went");
    assert_eq!(shop.run(&["plan", "--exit-code"]).code, 0);

    // Both programs of the next release end at once: the first group is as far as it comes.
    shop.site.write("compose.yaml", &compose.replace("ROLE: worker, GREETING: one", "EXIT_CODE: '3'"));
    let paused = shop.run(&["deploy", "-y"]);
    assert_eq!(paused.code, 1, "{}", paused.all());
    assert!(
        paused.all().contains("paused:") && paused.all().contains("failure_action: pause"),
        "{}",
        paused.all()
    );
    assert!(shop.done(&["status"]).all().contains("paused:"));
    shop.done(&["rollback", "-y"]);
    shop.site.write("compose.yaml", &compose);
    assert_eq!(shop.run(&["plan", "--exit-code"]).code, 0, "all is as before");

    shop.done(&["down", "-y"]);
    let back = shop.site.run_with(&["rollback", "-y"], &[]);
    assert_eq!(back.code, 0, "it is known where its images are kept: {}", back.all());
    assert_eq!(shop.run(&["plan", "--exit-code"]).code, 0, "all is as before");
}
