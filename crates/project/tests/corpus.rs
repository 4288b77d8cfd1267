//! Projects as teams write them: each loads in development and in production, and comes back after writing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]

use seaworthy_project::fixture::{MemoryFiles, problems, request};
use seaworthy_project::{EnvironmentName, Request, load, load_resolved, write_json};

const PROJECTS: [(&str, &[(&str, &str)]); 6] = [
    (
        "a web service with a database and a secret in a file",
        &[(
            "compose.yaml",
            "services:\n  backend:\n    build:\n      context: backend\n      target: builder\n    secrets:\n      - db-password\n    depends_on:\n      db:\n        condition: service_healthy\n  db:\n    image: mariadb:10-focal\n    command: '--default-authentication-plugin=mysql_native_password'\n    restart: always\n    healthcheck:\n      test: ['CMD-SHELL', 'mysqladmin ping -h 127.0.0.1 --password=\"$$(cat /run/secrets/db-password)\" --silent']\n      interval: 3s\n      retries: 5\n      start_period: 30s\n    secrets:\n      - db-password\n    volumes:\n      - db-data:/var/lib/mysql\n    environment:\n      - MYSQL_DATABASE=example\n      - MYSQL_ROOT_PASSWORD_FILE=/run/secrets/db-password\n    expose:\n      - 3306\n      - 33060\nvolumes:\n  db-data:\nsecrets:\n  db-password:\n    file: db/password.txt\n",
        )],
    ),
    (
        "old names, an old version, one anchor for all",
        &[
            (
                "docker-compose.yml",
                "version: \"3.8\"\nx-base: &base\n  restart: unless-stopped\n  env_file: .env\n  networks: [inner]\nservices:\n  web:\n    <<: *base\n    image: ${REGISTRY:-registry.example}/web:${TAG:?}\n    ports: [\"${PORT:-8000}:8000\"]\n  worker:\n    <<: *base\n    image: ${REGISTRY:-registry.example}/web:${TAG}\n    command: celery -A shop worker -l info\n    deploy: {replicas: 2}\nnetworks: {inner: {driver: bridge}}\n",
            ),
            (".env", "TAG=1.2\nSECRET='a$b#c'\n"),
            (
                "docker-compose.override.yml",
                "services: {web: {volumes: [\".:/code\"], environment: {DEBUG: 1}}}\n",
            ),
            (
                "docker-compose.prod.yml",
                "services: {web: {environment: {DEBUG: 0}, ports: !override [\"80:8000\"]}}\n",
            ),
        ],
    ),
    (
        "a proxy that reads the engine's socket",
        &[(
            "compose.yml",
            "services:\n  frontend:\n    image: traefik:2.6\n    command: --providers.docker --entrypoints.web.address=:80 --providers.docker.exposedbydefault=false\n    ports:\n      - \"80:80\"\n    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock\n    depends_on:\n      - backend\n  backend:\n    build: backend\n    labels:\n      - \"traefik.enable=true\"\n      - \"traefik.http.routers.go.rule=Path(`/`)\"\n",
        )],
    ),
    (
        "profiles, a job, host networking and a tool service",
        &[(
            "compose.yaml",
            "services:\n  app: {image: app, depends_on: {migrate: {condition: service_completed_successfully}, mail: {condition: service_started, required: false}}}\n  migrate: {image: app, command: [migrate], restart: 'no'}\n  mail: {image: mail, profiles: [dev]}\n  metrics: {image: exporter, network_mode: host, pid: host}\n",
        )],
    ),
    (
        "plain processes with routes and probes",
        &[(
            "compose.yaml",
            "services:\n  web:\n    build: .\n    ports: ['8080:8080']\n    deploy: {replicas: 3, resources: {limits: {cpus: '0.5', memory: 64M}}}\n    x-seaworthy:\n      route: {path: /, port: 8080}\n      probe: {ready: GET /ready, live: grpc shop.Orders}\n      process: {command: [./target/web], build: [cargo, build]}\n  migrate:\n    build: .\n    x-seaworthy: {run: before-deploy, timeout: 5min, process: {command: [./target/migrate]}}\nvolumes: {data: {x-seaworthy: {exclusive: true}}}\n",
        )],
    ),
    (
        "parts in folders of their own",
        &[
            (
                "compose.yaml",
                "include:\n  - path: [db/compose.yaml, db/local.yaml]\n    project_directory: db\nservices:\n  web: {extends: {file: common/web.yaml, service: web}, depends_on: [db]}\n",
            ),
            (
                "db/compose.yaml",
                "services: {db: {image: postgres, volumes: [\"./data:/var/lib/postgresql/data\"]}}\n",
            ),
            ("db/local.yaml", "services: {db: {ports: [\"127.0.0.1:5432:5432\"]}}\n"),
            ("common/web.yaml", "services: {web: {image: web, env_file: web.env}}\n"),
            ("common/web.env", "A=1\n"),
        ],
    ),
];

#[test]
fn every_project_loads_and_comes_back() {
    for (title, files) in PROJECTS {
        for environment in ["development", "production"] {
            let environment = EnvironmentName::new(environment).unwrap();
            let loaded = load(&Request { environment, ..request() }, &MemoryFiles::new(files));
            assert_eq!(problems(&loaded), Vec::<String>::new(), "{title}");
            let project = loaded.project.unwrap();
            let written = write_json(&project);
            let again =
                load_resolved(&written.to_string(), &project.name, &project.environment, &project.directory);
            assert_eq!(problems(&again), Vec::<String>::new(), "{title}");
            assert_eq!(write_json(&again.project.unwrap()), written, "{title}");
            assert_eq!(project.dependency_order().len(), project.services.len(), "{title}");
        }
    }
}
