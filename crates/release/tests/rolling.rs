//! `update_config` and `rollback_config` over the fake engine: what fails, how often it may, and what happens then.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "code of tests")]

#[path = "support/stage.rs"]
mod stage;

use std::time::Duration;

use seaworthy_engine::fake::Behaviour;
use seaworthy_engine::{Engine, Stranger};
use seaworthy_project::ServiceName;
use seaworthy_project::model::healthcheck::{HealthTest, Healthcheck};
use seaworthy_release::{Action, Draft, Outcome, Plan, ReleaseError};

use stage::Stage;

/// Four of `web`, whose instances are replaced as `settings` say.
fn compose(settings: &str) -> String {
    format!(
        "
services:
  db:
    image: shop:1
    x-seaworthy: {{ process: {{ command: [./db] }} }}
  migrate:
    image: shop:1
    depends_on: {{ db: {{ condition: service_healthy }} }}
    x-seaworthy: {{ timeout: 1min, process: {{ command: [./migrate] }} }}
  web:
    image: shop:1
    ports: ['127.0.0.1:8080:80']
    depends_on: {{ migrate: {{ condition: service_completed_successfully }} }}
    deploy: {{ replicas: 4, {settings} }}
    x-seaworthy: {{ route: {{ path: / }}, probe: {{ ready: GET /ready }}, process: {{ command: [./web] }} }}
"
    )
}

/// How many steps of the last change began, by their verbs.
fn steps(stage: &Stage, verb: &str) -> usize {
    let change = stage.store.changes().unwrap().remove(0);
    let lines = stage.store.journal_of(change.id).unwrap();
    lines.iter().filter(|line| line.phase == "starting" && line.action.verb() == verb).count()
}

#[tokio::test(start_paused = true)]
async fn what_others_wait_for_is_a_job_between_what_it_needs_and_the_rest() {
    let stage = Stage::new(&compose(""));
    assert!(matches!(stage.deploy().await, Outcome::Done { .. }));
    let change = stage.store.changes().unwrap().remove(0);
    let began: Vec<String> = stage
        .store
        .journal_of(change.id)
        .unwrap()
        .into_iter()
        .filter(|line| line.phase == "starting")
        .filter(|line| {
            matches!(line.action, Action::Ensure { .. } | Action::AwaitReady { .. } | Action::RunOnce { .. })
        })
        .map(|line| format!("{} {}", line.action.verb(), line.action.service().unwrap()))
        .take(4)
        .collect();
    assert_eq!(began, ["ensure db", "await-ready db", "run-once migrate", "ensure web"]);
    assert_eq!(stage.serving().await.len(), 4);
    stage.version(&["web", "migrate"], 2);
    stage.engine.behave("sha256:migrate-2", Behaviour::job(Duration::from_secs(1), 7));
    let Outcome::RolledBack { failure, .. } = stage.deploy().await else { panic!("it went on") };
    assert!(failure.reason.contains("exit code 7"), "{failure}");
    let kept = stage.instances("migrate").await;
    assert!(kept.iter().any(|job| job.exit.is_some_and(|exit| exit.code == 7)), "it is kept: {kept:#?}");
    stage.version(&["web", "migrate"], 3);
    assert!(matches!(stage.deploy().await, Outcome::Done { .. }));
    assert_eq!(stage.instances("migrate").await.len(), 1, "the next release takes it away");
}

#[tokio::test(start_paused = true)]
async fn delays_are_kept_and_do_not_count_against_the_progress_deadline() {
    let settings = "update_config: { parallelism: 1, delay: 10m, order: start-first }";
    let stage = Stage::new(&compose(settings));
    stage.deploy().await;
    assert_eq!(steps(&stage, "wait"), 0, "there is nothing to replace");
    stage.version(&["web"], 2);
    let began = tokio::time::Instant::now();
    assert!(matches!(stage.deploy().await, Outcome::Done { .. }));
    assert_eq!(steps(&stage, "wait"), 3);
    assert!(began.elapsed() >= Duration::from_secs(1800), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn as_many_may_fail_as_the_ratio_says() {
    for (ratio, done) in [("0.25", true), ("0.2", false)] {
        let settings = format!("update_config: {{ max_failure_ratio: {ratio} }}");
        let stage = Stage::new(&compose(&settings));
        stage.deploy().await;
        stage.version(&["web"], 2);
        stage.start_fails(2);
        let outcome = stage.deploy().await;
        match (&outcome, done) {
            (Outcome::Done { failed, .. }, true) => {
                assert_eq!(failed.len(), 1, "{failed:?}");
                assert_eq!(stage.serving().await.len(), 3, "what failed gets no requests");
            }
            (Outcome::RolledBack { .. }, false) => assert_eq!(stage.serving().await.len(), 4),
            _ => panic!("{ratio}: {outcome:?}"),
        }
        if done {
            assert!(matches!(stage.deploy().await, Outcome::Done { failed, .. } if failed.is_empty()));
            assert_eq!(stage.serving().await.len(), 4, "the next deploy tries it again");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn continue_goes_on_as_long_as_anybody_is_left() {
    let settings = "update_config: { failure_action: continue }";
    let stage = Stage::new(&compose(settings));
    stage.deploy().await;
    stage.version(&["web"], 2);
    stage.engine.behave("sha256:web-2", Behaviour::never_ready());
    let Outcome::RolledBack { failure, .. } = stage.deploy().await else { panic!("nobody is left") };
    assert!(failure.reason.contains("none of the new instances of `web` got ready"), "{failure}");
    assert_eq!(stage.serving().await.len(), 4, "the old ones serve");
}

#[tokio::test(start_paused = true)]
async fn pause_leaves_all_as_it_stands_and_the_next_command_decides() {
    let settings = "update_config: { parallelism: 2, failure_action: pause }, rollback_config: { parallelism: 2, delay: 1m }";
    for goes_on in [true, false] {
        let stage = Stage::new(&compose(settings));
        stage.deploy().await;
        stage.version(&["web"], 2);
        stage.start_fails(3);
        let outcome = stage.deploy().await;
        let Outcome::Paused { failure, from, to, bundle } = outcome else { panic!("{outcome:?}") };
        assert!(failure.to_string().contains("start web"), "{failure}");
        assert_eq!((from.unwrap().0, to.unwrap().0), (1, 2));
        assert!(bundle.is_some());
        assert_eq!(stage.serving().await, [1, 1, 2, 2]);
        let error = stage.scale("web", 5).await.unwrap_err();
        assert!(error.contains("deploy of release 2 is paused"), "{error}");
        if goes_on {
            assert!(matches!(stage.deploy().await, Outcome::Done { .. }));
            assert_eq!(stage.serving().await, [2, 2, 2, 2]);
            assert_eq!(steps(&stage, "run-once"), 0, "the job ran for this release");
        } else {
            assert!(matches!(stage.rollback().await, Outcome::Done { .. }));
            assert_eq!(stage.serving().await, [1, 1, 1, 1]);
        }
        assert!(stage.store.paused().unwrap().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn the_way_back_goes_by_rollback_config() {
    let settings =
        "update_config: { parallelism: 1, delay: 1m }, rollback_config: { parallelism: 2, delay: 7m }";
    let stage = Stage::new(&compose(settings));
    stage.deploy().await;
    stage.version(&["web"], 2);
    stage.deploy().await;
    assert_eq!(steps(&stage, "wait"), 3);
    let began = tokio::time::Instant::now();
    assert!(matches!(stage.rollback().await, Outcome::Done { .. }));
    assert_eq!(steps(&stage, "wait"), 1, "two groups of two");
    assert!(began.elapsed() >= Duration::from_secs(7 * 60), "{:?}", began.elapsed());
    assert_eq!(stage.serving().await, [1, 1, 1, 1]);
}

#[tokio::test]
async fn a_plan_that_somebody_thought_about_is_refused_when_the_world_moved() {
    let stage = Stage::new(&compose(""));
    let puts = stage.traffic.puts().len();
    let mut slow = |_: &Plan| {
        std::thread::sleep(Duration::from_millis(400));
        stage.engine.set_strangers(vec![Stranger { name: "shop-web-1".to_owned(), running: true }]);
        true
    };
    let refused = stage.operator().deploy(stage.draft().await, &mut slow).await.unwrap_err();
    assert!(matches!(refused, ReleaseError::Moved), "{refused}");
    assert!(refused.hint().is_some());
    assert!(stage.engine.mutating_calls().is_empty(), "{:?}", stage.engine.mutating_calls());
    assert_eq!(stage.traffic.puts().len(), puts);
    assert!(stage.store.changes().unwrap().is_empty());
    let mut same = |_: &Plan| {
        std::thread::sleep(Duration::from_millis(400));
        false
    };
    let declined = stage.operator().deploy(stage.draft().await, &mut same).await.unwrap();
    assert!(matches!(declined, Outcome::Declined));
}

#[tokio::test(start_paused = true)]
async fn orphans_go_when_that_is_said() {
    let stage = Stage::new(&compose(""));
    stage.deploy().await;
    stage.engine.set_strangers(vec![Stranger { name: "shop-web-1".to_owned(), running: true }]);
    assert!(matches!(stage.deploy().await, Outcome::Nothing { .. }));
    let draft = Draft { remove_orphans: true, ..stage.draft().await };
    assert!(matches!(
        stage.operator().deploy(draft, &mut |_: &Plan| true).await.unwrap(),
        Outcome::Done { .. }
    ));
    assert!(stage.engine.strangers(&stage.project.name).await.unwrap().is_empty());
    assert_eq!(stage.serving().await, [1, 1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn the_health_check_of_an_image_is_asked_where_nothing_else_is_said() {
    let health = Healthcheck {
        test: Some(HealthTest::Shell("curl -f localhost".to_owned())),
        interval: Some(Duration::from_millis(1500)),
        timeout: Some(Duration::from_secs(90)),
        retries: Some(4),
        start_period: Some(Duration::from_secs(200)),
        start_interval: None,
    };
    let web = ServiceName::new("web").unwrap();
    for (key, uses) in [
        ("shm_size: 64m", true),
        ("healthcheck: { retries: 5 }", true),
        ("healthcheck: { disable: true }", false),
        ("healthcheck: { test: [NONE] }", false),
        ("healthcheck: { test: [CMD, /check] }", false),
        ("x-seaworthy: { probe: { ready: tcp } }", false),
    ] {
        let stage = Stage::new(&format!("services:\n  web:\n    image: web:1\n    {key}\n"));
        stage.engine.set_health(&web, health.clone());
        let draft = stage.draft().await;
        let said =
            draft.losses.iter().any(|note| note.contains("the health check of its image says so: `curl -f"));
        assert_eq!(said, uses, "{key}: {:?}", draft.losses);
        stage.engine.behave("sha256:web-1", Behaviour::never_ready());
        let outcome = stage.deploy().await;
        if uses {
            let Outcome::RolledBack { failure, .. } = outcome else { panic!("{key}: it was not asked") };
            // Start period, and retries times the interval.
            assert!(failure.reason.contains("within 20"), "{key}: {failure}");
            stage.engine.behave("sha256:web-1", Behaviour::default());
            assert!(matches!(stage.deploy().await, Outcome::Done { .. }), "{key}");
            assert!(matches!(stage.deploy().await, Outcome::Nothing { .. }), "{key}: the same is the same");
        }
    }
}
