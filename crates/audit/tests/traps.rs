//! What looks like a defect and is none, and what is one and does not look like it.

#[path = "support/said.rs"]
mod said;

use seaworthy_audit::{Severity, check};
use seaworthy_project::fixture::{MemoryFiles, load_yaml, problems, request};

use said::{found, web, whole};

#[test]
fn host_paths_are_compared_by_whole_names() {
    web("engine-socket", true, &["volumes: [\"${SOCKET:-/var/run/docker.sock}:/s\"]"]);
    web("engine-socket", true, &["volumes: [\"/run/../run//docker.sock:/s:ro\"]"]);
    web("engine-socket", true, &["volumes: [\"/var/run:/host/run\"]"]);
    web("engine-socket", false, &["volumes: [\"./cache:/var/run/docker.sock\"]"]);
    web("sensitive-host-path", false, &["volumes: [\"/var/lib/mysql:/var/lib/mysql\"]"]);
    web("sensitive-host-path", true, &["volumes: [\"/var/lib/docker/volumes:/x\"]"]);
    web("sensitive-host-path", true, &["volumes: [\"/data/deployer/.ssh:/keys:ro\"]"]);
    web("sensitive-host-path", false, &["volumes: [\"/etc/localtime:/etc/localtime:ro\"]"]);
    let disguised = "services:\n  web:\n    image: shop:1.4\n    volumes: [\"socket:/s\"]\nvolumes:\n  socket:\n    driver_opts: { type: none, o: bind, device: /var/run/docker.sock }\n";
    whole("engine-socket", true, disguised);
}

#[test]
fn spellings_mean_the_same() {
    web("dangerous-capability", true, &["cap_add: [cap_sys_admin]"]);
    web("confinement-disabled", true, &["security_opt: [seccomp=unconfined]"]);
    web("root-user", true, &["user: root:root"]);
    web("root-user", true, &["user: \"0\""]);
    web("root-user", false, &["user: \"1000:0\""]);
    web("missing-limits", true, &["mem_limit: 0", "cpus: 1"]);
    web("missing-limits", false, &["mem_limit: 512m", "cpus: 0.5"]);
    web("missing-restart-policy", true, &["restart: \"no\""]);
    web("missing-restart-policy", false, &["deploy: { restart_policy: { condition: on-failure } }"]);
    let hardened = [
        "user: \"1000\"",
        "read_only: true",
        "cap_drop: [all]",
        "security_opt: [no-new-privileges=true]",
        "pids_limit: 50",
    ];
    web("missing-hardening", false, &hardened);
}

#[test]
fn jobs_end_and_need_neither_restart_nor_health() {
    for rule in ["missing-restart-policy", "missing-healthcheck", "missing-log-rotation"] {
        let awaited = "services:\n  web:\n    image: a:1\n    restart: always\n    healthcheck: { test: x }\n    logging: { driver: local }\n    depends_on:\n      job: { condition: service_completed_successfully }\n  job:\n    image: b:1\n";
        whole(rule, false, awaited);
        web(rule, false, &["x-seaworthy: { run: before-deploy }"]);
    }
    whole(
        "unguarded-dependency",
        false,
        "services:\n  web:\n    image: a:1\n    depends_on: [job]\n  job:\n    image: b:1\n    x-seaworthy: { run: before-deploy }\n",
    );
}

#[test]
fn what_looks_like_a_job_is_not_kept_running() {
    let yaml = "services:\n  web:\n    image: shop:1.4\n    depends_on: [db-migrate]\n  db-migrate:\n    image: shop:1.4\n";
    whole("undeclared-job", true, yaml);
    whole("unguarded-dependency", false, yaml);
    let stays = check(&load_yaml(yaml));
    assert!(
        stays
            .iter()
            .all(|finding| finding.identity() != "missing-restart-policy@services.db-migrate.restart")
    );
    whole("undeclared-job", false, "services:\n  setup:\n    image: shop:1.4\n    ports: [\"80:80\"]\n");
}

#[test]
fn what_the_project_builds_has_no_version_to_name() {
    let yaml = "services:\n  web:\n    build: .\n    image: shop:latest\n  worker:\n    image: shop:latest\n";
    whole("moving-tag", false, yaml);
}

#[test]
fn a_check_can_come_from_outside_or_with_the_image() {
    web("missing-healthcheck", false, &["x-seaworthy: { probe: { ready: tcp } }"]);
    web("missing-healthcheck", false, &["healthcheck: { interval: 5s }"]);
    web("missing-healthcheck", true, &["healthcheck: { disable: true }"]);
    web("missing-healthcheck", true, &["healthcheck: { test: [NONE] }"]);
    for test in ["exit 0", "[CMD, \"true\"]", "curl -f localhost || exit 0", "curl -f localhost; true"] {
        web("healthcheck-always-true", true, &[&format!("healthcheck: {{ test: {test} }}")]);
    }
    for test in ["curl -f localhost || exit 1", "test -f /ok && true", "[CMD, pg_isready]"] {
        web("healthcheck-always-true", false, &[&format!("healthcheck: {{ test: {test} }}")]);
    }
}

#[test]
fn names_alone_do_not_make_a_credential() {
    for (name, value) in [
        ("OIDC_TOKEN_URI", "https://auth.example/token"),
        ("MAX_TOKENS", "4096"),
        ("ACCESS_TOKEN_TTL", "3600"),
        ("DB_PASSWORD_FILE", "/run/secrets/db"),
        ("SECRET_KEY_PATH", "/keys/one"),
        ("PASSWORD_RESET_ENABLED", "true"),
        ("JWT_PUBLIC_KEY", "abcdefghijk"),
        ("DSN", "doctrine://default"),
        ("REDIS_URL", "redis://cache:6379"),
        ("DB_PASSWORD", "${DB_PASSWORD}"),
        ("PAGE_TITLE", "100$$ off"),
    ] {
        for rule in [
            "literal-credential",
            "default-credential",
            "placeholder-credential",
            "credential-in-url",
            "known-token",
        ] {
            web(rule, false, &["environment:", &format!("  {name}: \"{value}\"")]);
        }
    }
    web("literal-credential", true, &["environment: [\"SMTP_PASSWORD=q8Zk$$2vNw77\"]"]);
    web("default-credential", true, &["environment: { DB_USER: shopper, DB_PASSWORD: shopper }"]);
    web(
        "credential-in-command",
        false,
        &["healthcheck: { test: 'ping --password=\"$$(cat /run/secrets/db)\"' }"],
    );
    web("credential-in-command", true, &["command: serve --token abcdef123"]);
}

#[test]
fn values_from_environment_files_are_judged_by_strength_only() {
    let yaml =
        "services:\n  web:\n    image: shop:1.4\n    environment:\n      DB_PASSWORD: ${DB_PASSWORD}\n";
    let load = |value: &str| {
        let env = format!("DB_PASSWORD={value}\n");
        let loaded =
            seaworthy_project::load(&request(), &MemoryFiles::new(&[("compose.yaml", yaml), (".env", &env)]));
        let shown = problems(&loaded);
        loaded.project.unwrap_or_else(|| panic!("{shown:?}"))
    };
    assert_eq!(found(&load("vT4-mm2Lw-Q9"), "literal-credential"), Vec::<String>::new());
    assert_eq!(found(&load("vT4-mm2Lw-Q9"), "default-credential"), Vec::<String>::new());
    assert_eq!(found(&load("admin123"), "default-credential").len(), 1);
    assert_eq!(found(&load("changeme"), "placeholder-credential").len(), 1);
}

#[test]
fn edge_services_may_publish_and_local_ports_are_local() {
    web("published-datastore-port", false, &["image: nginx:1.27", "ports: [\"80:80\", \"443:443\"]"]);
    web("published-datastore-port", true, &["image: traefik:v3.2", "ports: [\"8080:8080\"]"]);
    for ip in ["127.0.0.1:", "[::1]:"] {
        web(
            "published-datastore-port",
            false,
            &["image: postgres:17", &format!("ports: [\"{ip}5432:5432\"]")],
        );
    }
    web("published-datastore-port", true, &["image: postgres:17", "ports: [\"0.0.0.0:15432:5432\"]"]);
    web("published-datastore-port", false, &["image: postgres:17", "expose: [\"5432\"]"]);
}

#[test]
fn data_is_kept_where_the_version_keeps_it() {
    let db = |version: &str, volume: &str| {
        format!(
            "services:\n  db:\n    image: postgres:{version}\n    volumes: [\"data:{volume}\"]\nvolumes:\n  data: {{}}\n"
        )
    };
    whole("stateful-without-volume", false, &db("17", "/var/lib/postgresql/data"));
    whole("stateful-without-volume", true, &db("17", "/backup"));
    web("stateful-without-volume", true, &["image: mysql:8.4", "tmpfs: [/var/lib/mysql]"]);
    web("stateful-without-volume", false, &["image: redis:8"]);
    let minio = "services:\n  s3:\n    image: minio/minio:RELEASE.2025-01-01\n    command: server /export\n    volumes: [\"data:/export\"]\nvolumes:\n  data: {}\n";
    whole("stateful-without-volume", false, minio);
}

#[test]
fn versions_are_versions() {
    for (image, moving) in [
        ("shop", true),
        ("shop:latest", true),
        ("nginx:alpine", true),
        ("node:lts-slim", true),
        ("localhost:5000/shop", true),
        ("postgres:17", false),
        ("shop:${TAG:-1.4}", false),
        ("shop@sha256:0000000000000000000000000000000000000000000000000000000000000000", false),
    ] {
        web("moving-tag", moving, &[&format!("image: \"{image}\"")]);
    }
    web("moving-tag", false, &["build: .", "image: shop"]);
}

#[test]
fn what_is_combined_is_worse() {
    let severity = |yaml: &str, rule: &str| {
        let project = load_yaml(yaml);
        check(&project).iter().find(|finding| finding.rule.id == rule).map(|finding| finding.severity)
    };
    let trust =
        "services:\n  db:\n    image: postgres:17\n    environment: { POSTGRES_HOST_AUTH_METHOD: trust }\n";
    assert_eq!(severity(trust, "authentication-disabled"), Some(Severity::High));
    assert_eq!(
        severity(&format!("{trust}    ports: [\"5432:5432\"]\n"), "authentication-disabled"),
        Some(Severity::Critical)
    );
    let cache = "services:\n  c:\n    image: redis:8\n    ports: [\"6379:6379\"]\n";
    assert_eq!(severity(cache, "published-datastore-port"), Some(Severity::Critical));
    assert_eq!(
        severity(&format!("{cache}    command: redis-server --requirepass x\n"), "published-datastore-port"),
        Some(Severity::High)
    );
}

#[test]
fn the_overlay_is_judged_with_the_base() {
    let base = ("compose.yaml", "services:\n  web:\n    image: shop:1.4\n");
    let over = (
        "compose.production.yaml",
        "x-seaworthy:\n  overlay: true\nservices:\n  web:\n    restart: always\n    privileged: true\n",
    );
    let loaded = seaworthy_project::load(&request(), &MemoryFiles::new(&[base, over]));
    let project = loaded.project.unwrap();
    assert_eq!(found(&project, "missing-restart-policy"), Vec::<String>::new());
    let findings = check(&project);
    let privileged = findings.iter().find(|finding| finding.rule.id == "privileged").unwrap();
    assert_eq!(project.sources.place(&privileged.span), "compose.production.yaml:6:17");
}

#[test]
fn absent_hardening_is_one_finding_for_each_service() {
    let project = load_yaml("services:\n  a:\n    image: a:1\n  b:\n    image: b:1\n");
    assert_eq!(found(&project, "missing-hardening").len(), 2);
}

#[test]
fn data_lies_where_that_version_keeps_it() {
    for (image, folder, lost) in [
        ("postgres:17", "/var/lib/postgresql/data", false),
        ("postgres:17", "/var/lib/postgresql", true),
        ("postgres:18", "/var/lib/postgresql", false),
        ("postgres:18", "/var/lib/postgresql/data", true),
        ("postgres", "/var/lib/postgresql/data", false),
    ] {
        let yaml = format!(
            "services:\n  db:\n    image: {image}\n    volumes: [\"data:{folder}\"]\nvolumes:\n  data: {{}}\n"
        );
        whole("stateful-without-volume", lost, &yaml);
    }
}

#[test]
fn a_variable_without_effect_is_told_unless_the_command_reads_it() {
    let rule = "setting-without-effect";
    web(rule, true, &["image: redis:8", "environment: { REDIS_PASSWORD: kZ8qn2Vw1 }"]);
    web(
        rule,
        false,
        &[
            "image: redis:8",
            "environment: { REDIS_PASSWORD: kZ8qn2Vw1 }",
            "command: sh -c 'exec redis-server --requirepass $$REDIS_PASSWORD'",
        ],
    );
    web(rule, false, &["image: shop:1.4", "environment: { POSTGRES_SHARED_BUFFERS: 1GB }"]);
    web(rule, true, &["image: postgres:17", "environment: { POSTGRES_SHARED_BUFFERS: 1GB }"]);
}
