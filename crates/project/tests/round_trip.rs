//! Load, write, load: the same project; and nothing that people see shows a credential.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]

use proptest::prelude::*;
use seaworthy_project::fixture::{MemoryFiles, load_yaml, request, try_load};
use seaworthy_project::model::resource::FileResourceSource;
use seaworthy_project::{
    Project, Request, Show, load, load_resolved, show_json, show_variables, show_yaml, write_json,
};

const REDACTED: Show = Show { redact: true, escape_dollars: true };
const WHOLE: Show = Show { redact: false, escape_dollars: true };

const WIDE: &str = r#"
x-log: &log {driver: json-file, options: {max-size: 10m, max-file: 3}}
services:
  web:
    image: shop:1
    build: {context: ./app, args: [A=1], shm_size: 64m}
    command: sh -c "echo $$HOME 'a b'"
    environment: {A: 1, B: 1.50, C: true, D: , E: "x$$y", F: 0x10, G: "", URL: "postgres://u:p@ss@db/x", DB_PASSWORD: canary-1}
    ports: ["8080:80", "127.0.0.1:5000-5001:6000-6001/udp", {target: 70, published: 7070, app_protocol: http}]
    volumes: [data:/d, "./x:/y:ro", /anonymous, {type: tmpfs, target: /t, tmpfs: {size: 10m}}]
    tmpfs: /run
    depends_on: {db: {condition: service_healthy}, migrate: {condition: service_completed_successfully}}
    networks: {front: {aliases: [a]}, back: }
    healthcheck: {test: curl -f localhost, interval: 90s, timeout: 500ms, start_period: 1h}
    deploy:
      replicas: 2
      resources: {limits: {cpus: "0.50", memory: 50M, pids: 10}}
      update_config: {parallelism: 2, delay: 10s, order: start-first, failure_action: rollback}
      restart_policy: {condition: on-failure, max_attempts: 3}
    secrets: [token, {source: token, target: other, mode: 0440}]
    configs: [{source: settings, target: /etc/settings}]
    labels: [a=b]
    ulimits: {nproc: 65535, nofile: {soft: 1, hard: 2}}
    logging: *log
    stop_grace_period: 1m30s
    x-own: {number: 1, text: "1", list: [true, ~]}
    x-seaworthy:
      route: {host: shop.example, port: 80, balance: hash, hash_by: header X-Tenant, sticky: true, tls: {files: {certificate: ./tls/shop.crt, key: /run/shop.key}, hsts: 365d, redirect: false, clients: {ca: ./tls/clients.crt, certificate: optional}}, traces: {endpoint: 'http://127.0.0.1:4318', sample: 10%, service_name: edge, headers_file: ./otlp.headers, roots: ./ca.pem}, wait: 1m, queue: 50, weights: [3, 1], slow_start: 30s, max_in_flight: 100, eject: {after: 3, for: 1m}, retries: 10%, max_body: 300MB, body_timeout: 20s, rate_limit: {rate: 100/min, burst: 5, by: header X-Key}, allow: [10.0.0.0/8, "::1"], deny: [10.1.2.3], trusted_proxies: [192.0.2.1], headers: {secure: false, request: {remove: [X-A]}, response: {set: {X-B: "1"}, add: {Link: </a>}}}, proxy_protocol: {trust: [10.0.0.0/8, "::1"], send: v2}}
      probe: {ready: GET /ready, live: tcp}
      rollout: {drain: 5s}
  migrate: {image: shop:1, x-seaworthy: {run: before-deploy, timeout: 5min}}
  worker: {x-seaworthy: {process: {command: ./worker --fast, build: [make]}}}
  db: {image: "db", entrypoint: [], restart: "no"}
  off: {image: x, profiles: [off]}
networks: {front: , back: {internal: true}}
volumes: {data: {x-seaworthy: {exclusive: true}}}
secrets: {token: {environment: TOKEN}, text: {environment: TEXT}}
configs: {settings: {content: "a: $${b}"}}
x-seaworthy: {rollout: {ready_deadline: 2min}, tls: {mode: acme, acme: {directory: letsencrypt-staging, email: ops@shop.example, roots: ./ca.pem}}}
"#;

/// All that the model knows, places left out.
fn without_places(project: &Project) -> String {
    let mut text = format!("{:#?}\n{:#?}", project.services, project.settings);
    for resources in [&project.secrets, &project.configs] {
        text.push_str(&format!(
            "{:#?}",
            resources.values().map(|resource| &resource.source).collect::<Vec<_>>()
        ));
    }
    text.push_str(&format!("{:#?}{:#?}", project.networks, project.volumes));
    let mut kept = String::new();
    let mut skipping: Option<usize> = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let trimmed = line.trim_start();
        match skipping {
            Some(level) if indent > level => continue,
            Some(level) if indent == level && trimmed.starts_with(['}', ']']) => {
                skipping = None;
                continue;
            }
            _ => skipping = None,
        }
        if trimmed.starts_with("span:") || trimmed.starts_with("history:") {
            skipping = (trimmed.ends_with('{') || trimmed.ends_with('[')).then_some(indent);
        } else if !trimmed.starts_with("explicit:") {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[track_caller]
fn read_back(project: &Project) -> Project {
    let text = write_json(project).to_string();
    let loaded = load_resolved(&text, &project.name, &project.environment, &project.directory);
    assert_eq!(loaded.problems, []);
    loaded.project.unwrap()
}

fn wide() -> Project {
    let request = Request {
        variables: [("TOKEN".into(), "canary-3 $x".into()), ("TEXT".into(), "canary-2".into())].into(),
        ..request()
    };
    let loaded = load(&request, &MemoryFiles::new(&[("compose.yaml", WIDE)]));
    assert_eq!(loaded.problems, []);
    loaded.project.unwrap()
}

#[test]
fn a_wide_project_comes_back_equal() {
    let project = wide();
    let again = read_back(&project);
    assert_eq!(write_json(&again), write_json(&project));
    similar_lines(&without_places(&project), &without_places(&again));
}

#[track_caller]
fn similar_lines(one: &str, other: &str) {
    for (number, (a, b)) in one.lines().zip(other.lines()).enumerate() {
        assert_eq!(a.trim(), b.trim(), "line {number}");
    }
    assert_eq!(one.lines().count(), other.lines().count());
}

#[test]
fn a_secret_from_a_variable_needs_no_shell_later() {
    let again = read_back(&wide());
    match &again.secrets["token"].source {
        FileResourceSource::Environment(name, Some(value)) => {
            assert_eq!((name.value.as_str(), value.reveal()), ("TOKEN", "canary-3 $x"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_people_see_has_no_credential() {
    let project = wide();
    for text in [show_yaml(&project, REDACTED), show_json(&project, REDACTED).to_string()] {
        assert!(!text.contains("canary") && !text.contains("p@ss"), "{text}");
        assert!(text.contains("[redacted]"));
    }
    let environment =
        project.services().map(|service| format!("{:?}", service.environment)).collect::<String>();
    assert!(!environment.contains("canary"));
}

/// Wherever a credential's variable fills something, however short it is, and its default too.
#[test]
fn what_a_credential_fills_is_not_shown() {
    let text = "services:\n  web:\n    image: x\n    command: serve --requirepass ${REDIS_PASSWORD}\n    labels: {a: \"${API_TOKEN:-canary1}\", b: \"p${DB_PASSWORD}q\"}\n";
    let variables = [("REDIS_PASSWORD".into(), "abc".into()), ("DB_PASSWORD".into(), "z9".into())].into();
    let request = Request { variables, ..request() };
    let project = load(&request, &MemoryFiles::new(&[("compose.yaml", text)])).project.unwrap();
    let shown = show_yaml(&project, REDACTED);
    assert!(!["abc", "z9", "canary1"].iter().any(|secret| shown.contains(secret)), "{shown}");
    assert!(shown.contains("- serve\n") && shown.contains("p[redacted]q"), "{shown}");
    let shown = show_json(&project, REDACTED).to_string();
    assert!(!["\"abc", "z9", "canary1"].iter().any(|secret| shown.contains(secret)), "{shown}");
    assert!(show_yaml(&project, WHOLE).contains("abc"));
    let explained = format!("{:?}", seaworthy_project::provenance(&project, "services").unwrap());
    assert!(!["abc", "z9", "canary1"].iter().any(|secret| explained.contains(secret)), "{explained}");
    let named = show_variables(&project, true);
    assert!(named.iter().any(|(name, value)| name == "DB_PASSWORD" && value == "[redacted]"), "{named:?}");
    assert!(!named.iter().any(|(_, value)| ["abc", "z9"].contains(&value.as_str())), "{named:?}");
}

/// What is written into a command line as a literal is as secret as what a variable fills in.
#[test]
fn a_credential_in_a_command_line_is_not_shown() {
    let text = "services:\n  cache:\n    image: redis:8\n    command: redis-server --requirepass hunter2 --port 6380\n    healthcheck: { test: \"redis-cli -a hunter2 ping\" }\n  db:\n    image: mysql:8\n    entrypoint: [sh, -c, \"exec serve --token 'abc' --level debug\"]\n    labels: { note: uses hunter2 }\n";
    let project = load(&request(), &MemoryFiles::new(&[("compose.yaml", text)])).project.unwrap();
    for shown in [show_yaml(&project, REDACTED), show_json(&project, REDACTED).to_string()] {
        assert!(!shown.contains("hunter2") && !shown.contains("abc"), "{shown}");
        assert!(shown.contains("6380") && shown.contains("--level debug"), "{shown}");
    }
    for shown in [show_yaml(&project, WHOLE), show_json(&project, WHOLE).to_string()] {
        assert!(shown.contains("hunter2") && shown.contains("--token 'abc'"), "{shown}");
    }
    let explained = format!("{:?}", seaworthy_project::provenance(&project, "services.cache").unwrap());
    assert!(!explained.contains("hunter2"), "{explained}");
}

#[test]
fn yaml_that_was_written_loads_to_the_same_project() {
    let project = wide();
    let yaml = show_yaml(&project, WHOLE);
    let loaded = try_load(&[("compose.yaml", &yaml)]);
    assert_eq!(loaded.problems, [], "{yaml}");
    let again = loaded.project.unwrap();
    assert_eq!(show_json(&again, REDACTED)["services"], show_json(&project, REDACTED)["services"]);
}

#[test]
fn a_project_whose_services_are_all_left_out_comes_back() {
    let project = load_yaml("services: {web: {image: x, profiles: [p]}}\n");
    assert_eq!(write_json(&read_back(&project)), write_json(&project));
}

#[test]
fn texts_that_look_like_something_else_stay_texts() {
    for text in [
        "yes",
        "no",
        "1",
        "0x1",
        "1.0",
        "~",
        "null",
        "",
        " a",
        "a ",
        "- a",
        "a: b",
        "a #b",
        "22:22",
        "\u{85}\n\t\"\\",
        "é",
        "{a}",
        "*a",
        "&a",
        "!a",
        "=",
        "1e3",
        ".inf",
        "2001-01-01",
    ] {
        let quoted = serde_json::Value::String(text.to_owned());
        let project = load_yaml(&format!("services: {{web: {{image: x, environment: {{A: {quoted}}}}}}}"));
        let yaml = show_yaml(&project, WHOLE);
        let again = try_load(&[("compose.yaml", &yaml)]).project.unwrap();
        let value = again.services().next().unwrap().environment["A"].value.clone().unwrap();
        assert_eq!(value.reveal(), text, "{yaml}");
    }
}

#[test]
fn characters_that_yaml_wants_escaped_and_long_values_survive() {
    let long = "x".repeat(5000);
    let odd = "\u{7f}\u{85}\u{9f}\u{2028}\u{feff}\u{ffff}\u{1b}[0m\n\t\"\\\u{1f600}";
    let files =
        MemoryFiles::new(&[("compose.yaml", "services: {web: {image: x, environment: [ODD, LONG]}}")]);
    let variables = [("ODD".into(), odd.into()), ("LONG".into(), long.clone())].into();
    let project = load(&Request { variables, ..request() }, &files).project.unwrap();
    let yaml = try_load(&[("compose.yaml", &show_yaml(&project, WHOLE))]);
    assert_eq!(yaml.problems, []);
    for again in [read_back(&project), yaml.project.unwrap()] {
        let web = again.services().next().unwrap();
        assert_eq!(web.environment["ODD"].value.as_ref().unwrap().reveal(), odd);
        assert_eq!(web.environment["LONG"].value.as_ref().unwrap().reveal(), long);
    }
}

proptest! {
    #[test]
    fn any_value_survives(values in prop::collection::vec("\\PC{0,12}", 1..5)) {
        let variables: serde_json::Map<String, serde_json::Value> =
            values.iter().enumerate().map(|(index, value)| (format!("V{index}"), value.replace('$', "$$").into())).collect();
        let yaml = serde_json::json!({"services": {"web": {"image": "x", "environment": variables, "command": values.iter().map(|value| value.replace('$', "$$")).collect::<Vec<_>>()}}});
        let project = load_yaml(&yaml.to_string());
        let again = read_back(&project);
        prop_assert_eq!(write_json(&again), write_json(&project));
        let written = try_load(&[("compose.yaml", &show_yaml(&project, WHOLE))]);
        prop_assert_eq!(written.problems, vec![]);
        let web = again.services().next().unwrap();
        for (index, value) in values.iter().enumerate() {
            prop_assert_eq!(web.environment[&format!("V{index}")].value.as_ref().unwrap().reveal(), value);
        }
        let from_yaml = written.project.unwrap();
        prop_assert_eq!(write_json(&from_yaml), write_json(&project));
    }

    #[test]
    fn any_text_is_taken(text in "[a-c{}\\[\\]:,&*!<>|#'\"$%@` \n\t-]{0,60}") {
        try_load(&[("compose.yaml", &text), (".env", &text)]);
    }

    #[test]
    fn any_shape_is_taken(keys in prop::collection::vec(prop::sample::select(vec![
        "build", "command", "ports", "volumes", "environment", "env_file", "depends_on", "networks", "secrets",
        "healthcheck", "deploy", "labels", "ulimits", "extends", "x-seaworthy", "tmpfs", "devices", "gpus", "extra_hosts",
        "logging", "links", "post_start", "develop", "network_mode", "profiles", "scale", "mem_limit",
    ]), 1..4), value in prop::sample::select(vec![
        "x", "1", "[]", "{}", "[x]", "[1]", "[[]]", "[{}]", "{a: }", "{a: {b: []}}", "~", "'a:b:c:d:e'", "!reset null",
        "!override [a]", "{command: x, test: [], resources: [], process: {}, route: ~, file: y, service: web}",
    ])) {
        let mut yaml = "services:\n  web:\n    image: x\n".to_owned();
        for key in keys {
            yaml.push_str(&format!("    {key}: {value}\n"));
        }
        try_load(&[("compose.yaml", &yaml), ("compose.production.yaml", &yaml)]);
    }
}
