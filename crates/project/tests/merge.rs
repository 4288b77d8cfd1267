//! Several files become one, as the Compose Specification merges them, and every value remembers where it came from.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]

use seaworthy_project::fixture::{MemoryFiles, request, try_load};
use seaworthy_project::model::service::Command;
use seaworthy_project::{EnvironmentName, Loaded, Project, Request, Say, Service, Span, load};

/// A base and its overlay for production.
#[track_caller]
fn laid(base: &str, over: &str) -> Loaded {
    let loaded = try_load(&[("compose.yaml", base), ("compose.production.yaml", over)]);
    assert_eq!(loaded.problems, []);
    loaded
}

#[track_caller]
fn project(base: &str, over: &str) -> Project {
    laid(base, over).project.unwrap()
}

fn web(project: &Project) -> &Service {
    project.services().find(|service| service.name.value.as_str() == "web").unwrap()
}

fn written(say: &Say) -> Option<&Span> {
    match say {
        Say::Written(span) => Some(span),
        _ => None,
    }
}

#[test]
fn scalars_replace_and_keep_the_loser() {
    let project = project(
        "services:\n  web:\n    image: shop:1\n    user: root\n",
        "services:\n  web:\n    user: shop\n",
    );
    let web = web(&project);
    let user = web.user.as_ref().unwrap();
    assert_eq!(user.value, "shop");
    assert_eq!(project.sources.place(&user.span), "compose.production.yaml:3:11");
    let history = &project.node.at(&["services", "web", "user"]).unwrap().history;
    assert_eq!(
        history.iter().filter_map(written).map(|span| project.sources.place(span)).collect::<Vec<_>>(),
        ["compose.yaml:4:11"]
    );
    assert_eq!(project.sources.place(&web.name.span), "compose.yaml:2:3");
}

#[test]
fn commands_replace_and_lists_grow() {
    let project = project(
        "services:\n  web:\n    image: x\n    command: [a, b]\n    cap_add: [A, B]\n    dns: 1.1.1.1\n    healthcheck: {test: [CMD, a], retries: 3}\n",
        "services:\n  web:\n    command: c\n    cap_add: [B, C]\n    dns: [8.8.8.8]\n    healthcheck: {test: b}\n",
    );
    let web = web(&project);
    assert_eq!(web.command.as_ref().unwrap().value, Command::Words(vec!["c".into()]));
    let texts = |list: &[seaworthy_project::Spanned<String>]| {
        list.iter().map(|item| item.value.clone()).collect::<Vec<_>>()
    };
    assert_eq!(texts(&web.cap_add), ["A", "B", "C"]);
    assert_eq!(web.node.get("dns").unwrap().items().len(), 2);
    let health = &web.healthcheck.as_ref().unwrap().value;
    assert_eq!(health.test, Some(seaworthy_project::model::healthcheck::HealthTest::Shell("b".into())));
    assert_eq!(health.retries, Some(3));
}

#[test]
fn ports_and_mounts_have_identities() {
    let project = project(
        "services:\n  web:\n    image: x\n    ports: ['80:80', '81:81']\n    volumes: ['da:/a', 'db:/b']\nvolumes: {da: , db: , dc: }\n",
        "services:\n  web:\n    ports: ['80:80', '82:80']\n    volumes: ['dc:/b:ro']\n",
    );
    let web = web(&project);
    let ports: Vec<_> = web.ports.iter().map(|port| (port.value.published, port.value.target)).collect();
    assert_eq!(ports, [(Some(80), 80), (Some(81), 81), (Some(82), 80)]);
    let mounts: Vec<_> = web
        .mounts
        .iter()
        .map(|mount| {
            (mount.value.source.clone().unwrap(), mount.value.target.as_str(), mount.value.read_only)
        })
        .collect();
    assert_eq!(mounts, [("da".to_owned(), "/a", false), ("dc".to_owned(), "/b", true)]);
}

#[test]
fn maps_and_lists_of_the_same_key_merge() {
    let project = project(
        "services:\n  web:\n    image: x\n    environment: [A=1, B=2]\n    labels: {l: 1}\n    depends_on: [db]\n  db: {image: y}\n",
        "services:\n  web:\n    environment: {B: 3, C: }\n    labels: [l=2, m]\n    depends_on: {db: {condition: service_healthy}}\n",
    );
    let web = web(&project);
    let value = |name: &str| web.environment[name].value.as_ref().map(|value| value.reveal().to_owned());
    assert_eq!((value("A"), value("B"), value("C")), (Some("1".into()), Some("3".into()), None));
    assert_eq!((web.labels["l"].value.as_str(), web.labels["m"].value.as_str()), ("2", ""));
    assert!(web.depends_on[0].explicit);
    assert_eq!(web.depends_on[0].condition, seaworthy_project::model::dependency::Condition::Healthy);
}

#[test]
fn reset_and_override() {
    let project = project(
        "services:\n  web:\n    image: x\n    user: root\n    ports: ['80:80', '81:81']\n    environment: {A: 1, B: 2}\n    command: [a]\n    privileged: true\n",
        "services:\n  web:\n    user: !reset null\n    ports: !override ['90:80']\n    environment: {A: !reset null}\n    command: !reset []\n    cap_drop: !override [ALL]\n    privileged: !override false\n",
    );
    let web = web(&project);
    assert!(web.user.is_none() && web.command.is_none());
    assert_eq!(web.ports.len(), 1);
    assert_eq!(web.ports[0].value.published, Some(90));
    assert_eq!(web.environment.keys().collect::<Vec<_>>(), ["B"]);
    assert_eq!(web.cap_drop[0].value, "ALL");
    assert!(!web.privileged.as_ref().unwrap().value);
}

#[test]
fn another_log_driver_takes_no_options_along() {
    let base = "services:\n  web:\n    image: x\n    logging: {driver: json-file, options: {max-size: 1m}}\n";
    let other = project(base, "services: {web: {logging: {driver: local}}}\n");
    assert!(web(&other).node.at(&["logging", "options"]).is_none());
    let same = project(base, "services: {web: {logging: {options: {max-file: 2}}}}\n");
    assert_eq!(web(&same).node.at(&["logging", "options"]).unwrap().entries().len(), 2);
}

#[test]
fn anchors_and_merge_keys() {
    let project = seaworthy_project::fixture::load_yaml(
        "x-a: &a {image: x, user: a}\nx-b: &b {user: b, hostname: b}\nservices:\n  web:\n    <<: [*a, *b]\n    hostname: own\n",
    );
    let web = web(&project);
    assert_eq!(web.user.as_ref().unwrap().value, "a");
    assert_eq!(web.node.get("hostname").unwrap().text(), Some("own"));
    assert_eq!(project.sources.place(&web.user.as_ref().unwrap().span), "compose.yaml:1:26");
}

#[test]
fn extends_within_and_across_files() {
    let loaded = try_load(&[
        (
            "compose.yaml",
            "services:\n  web:\n    extends: {file: shared/base.yaml, service: app}\n    environment: {B: 2}\n  api: {extends: web, user: api}\n",
        ),
        (
            "shared/base.yaml",
            "services:\n  app: {extends: root, environment: {A: 1, B: 1}, volumes: ['./data:/data']}\n  root: {image: x, env_file: own.env}\n",
        ),
        ("shared/own.env", "OWN=1\n"),
    ]);
    assert_eq!(loaded.problems, []);
    let project = loaded.project.unwrap();
    for service in project.services() {
        assert_eq!(service.image.as_ref().unwrap().value, "x");
        assert_eq!(service.environment["B"].value.as_ref().unwrap().reveal(), "2");
        assert_eq!(project.sources.place(&service.environment["OWN"].span), "shared/own.env:1:5");
        assert_eq!(service.mounts[0].value.source.as_deref(), Some("/srv/fixture/shared/data"));
        assert!(service.node.get("extends").is_none());
    }
}

#[test]
fn include_has_its_own_folder_and_variables() {
    let loaded = try_load(&[
        ("compose.yaml", "include: [part/compose.yaml]\nservices: {web: {image: x, depends_on: [db]}}\n"),
        ("part/compose.yaml", "services: {db: {image: \"db:${V}-${W}\", volumes: ['./d:/d']}}\n"),
        ("part/.env", "V=1\nW=1\n"),
        (".env", "W=2\n"),
    ]);
    assert_eq!(loaded.problems, []);
    let project = loaded.project.unwrap();
    let db = project.services().find(|service| service.name.value.as_str() == "db").unwrap();
    assert_eq!(db.image.as_ref().unwrap().value, "db:1-2");
    assert_eq!(db.mounts[0].value.source.as_deref(), Some("/srv/fixture/part/d"));
}

#[test]
fn several_documents_lie_over_each_other() {
    let project = seaworthy_project::fixture::load_yaml(
        "services: {web: {image: x}}\n---\nservices: {web: {image: y}}\n",
    );
    assert_eq!(web(&project).image.as_ref().unwrap().value, "y");
}

#[test]
fn explicit_files_in_order() {
    let request = Request {
        files: vec!["a.yaml".into(), "b.yaml".into()],
        environment: EnvironmentName::new("staging").unwrap(),
        ..request()
    };
    let files = MemoryFiles::new(&[
        ("a.yaml", "services: {web: {image: a}}"),
        ("b.yaml", "services: {web: {image: b}}"),
        ("compose.staging.yaml", "services: {web: {image: never}}"),
    ]);
    let project = load(&request, &files).project.unwrap();
    assert_eq!(web(&project).image.as_ref().unwrap().value, "b");
    assert_eq!(project.name.as_str(), "fixture-staging");
}
