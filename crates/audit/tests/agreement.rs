//! What services say of each other, and what the files say of variables: where it disagrees, and where it only looks so.

#[path = "support/said.rs"]
mod said;

use seaworthy_project::fixture::load_yaml;

use said::{found, web, whole};

/// A client with this environment, beside a database that makes the account `shop`.
fn beside_database(client: &str, server: &str) -> String {
    format!(
        "services:\n  web:\n    image: shop:1.4\n    environment: {{ {client} }}\n  db:\n    image: postgres:17\n    \
         environment: {{ POSTGRES_USER: shop, POSTGRES_PASSWORD: kZ8qn2Vw, {server} }}\n"
    )
}

#[test]
fn credentials_that_disagree_are_found_in_addresses_and_groups() {
    let rule = "disagreeing-credentials";
    for (client, server, disagree) in [
        ("DATABASE_URL: 'postgres://shop:kZ8qn2Vw@db:5432/shop'", "", false),
        ("DATABASE_URL: 'postgres://shop:other9Xq@db/shop'", "", true),
        ("DATABASE_URL: 'postgresql+asyncpg://app:kZ8qn2Vw@db/shop'", "", true),
        ("DATABASE_URL: 'postgres://shop:kZ8qn2Vw@db/orders?sslmode=off'", "", true),
        ("DATABASE_URL: 'postgres://shop:kZ8qn2Vw@db/orders'", "POSTGRES_DB: orders", false),
        ("DATABASE_URL: 'postgres://shop:kZ8qn2Vw@db/postgres'", "", false),
        ("DATABASE_URL: 'postgres://shop:other9Xq@elsewhere/shop'", "", false),
        ("DATABASE_URL: 'postgres://shop:p%40ss@db/shop'", "", false),
        ("DATABASE_URL: 'postgres://shop:other9Xq@db/shop'", "POSTGRES_PASSWORD_FILE: /run/secrets/p", false),
        ("PGHOST: db, PGUSER: shop, PGPASSWORD: other9Xq", "", true),
        ("DB_HOST: 'db:5432', DB_USER: shop, DB_PASSWD: kZ8qn2Vw, DB_NAME: shop", "", false),
        ("DB_HOST: db, DB_USERNAME: other", "", true),
        ("CACHE_HOST: db, OTHER_PASSWORD: other9Xq", "", false),
    ] {
        whole(rule, disagree, &beside_database(client, server));
    }
    let scripts = beside_database("DB_HOST: db, DB_USER: other", "")
        + "    volumes: [\"./init:/docker-entrypoint-initdb.d:ro\"]\n";
    whole(rule, false, &scripts);
    let two = "services:\n  web:\n    image: shop:1.4\n    environment: { DB_HOST: db, DB_USER: root, DB_PASSWORD: kZ8qn2Vw }\n  \
               db:\n    image: mysql:8.4\n    environment: { MYSQL_USER: app, MYSQL_PASSWORD: other9Xq, MYSQL_ROOT_PASSWORD: ";
    whole(rule, false, &format!("{two}kZ8qn2Vw }}\n"));
    whole(rule, true, &format!("{two}third7Yp }}\n"));
}

#[test]
fn ports_between_services_are_those_inside() {
    let rule = "disagreeing-port";
    let project = |url: &str, server: &str| {
        format!(
            "services:\n  web:\n    image: shop:1.4\n    environment: {{ URL: '{url}' }}\n  db:\n    {server}\n"
        )
    };
    let published = "image: shop-db:1\n    ports: [\"15432:5432\"]";
    whole(rule, true, &project("tcp://db:15432", published));
    whole(rule, false, &project("tcp://db:5432", published));
    whole(rule, false, &project("tcp://db:9", published));
    whole(rule, true, &project("redis://db:6380/0", "image: redis:8"));
    whole(
        rule,
        false,
        &project("redis://db:6380/0", "image: redis:8\n    command: redis-server --port 6380"),
    );
    whole(rule, false, &project("redis://db:6379/0", "image: redis:8"));
    whole(rule, false, &project("tcp://db:5433", "image: postgres:17\n    environment: { PGPORT: 5433 }"));
    whole(
        rule,
        false,
        &project("http://db:81", "image: nginx:1.28\n    volumes: [\"./n.conf:/etc/nginx/nginx.conf:ro\"]"),
    );
}

#[test]
fn a_published_port_is_one_on_which_the_image_listens() {
    let rule = "disagreeing-port";
    web(rule, true, &["image: nginx:1.28", "ports: [\"80:8080\"]"]);
    web(rule, false, &["image: nginx:1.28", "ports: [\"8080:80\"]"]);
    web(
        rule,
        false,
        &["image: nginx:1.28", "ports: [\"80:8080\"]", "volumes: [\"./n.conf:/etc/nginx/nginx.conf:ro\"]"],
    );
    web(rule, false, &["image: nginx:1.28", "ports: [\"80:8080\"]", "command: nginx -c /site.conf"]);
    web(rule, false, &["image: nginx:1.28", "ports: [\"80:8080\"]", "environment: { PORT: 8080 }"]);
    web(rule, false, &["image: shop:1.4", "ports: [\"80:8080\"]"]);
}

#[test]
fn credentials_are_seen_in_commands_of_clients_headers_and_labels() {
    for (rule, found, line) in [
        ("credential-in-command", true, "healthcheck: { test: \"mysqladmin ping -uroot -pZx81kQpd\" }"),
        ("credential-in-command", true, "healthcheck: { test: [CMD, redis-cli, -a, Zx81kQpd, ping] }"),
        ("credential-in-command", true, "command: 'curl -H \"Authorization: Bearer Zx81kQpd77\" http://a'"),
        ("credential-in-command", false, "healthcheck: { test: \"mysqladmin ping -p$$MYSQL_PASSWORD\" }"),
        ("credential-in-command", false, "command: 'curl -H \"Authorization: Bearer $$TOKEN\" http://a'"),
        ("credential-in-command", false, "command: serve -port 80 -a"),
        ("known-token", true, "labels: { ci: ghp_000000000000000000000000000000000000 }"),
        ("known-token", false, "labels: { ci: the-team }"),
        ("insecure-cookie", true, "environment: { SESSION_COOKIE_SECURE: 'False' }"),
        ("insecure-cookie", true, "environment: { APP_COOKIE_HTTPONLY: 0 }"),
        ("insecure-cookie", false, "environment: { SESSION_COOKIE_SECURE: 'True', COOKIE_NAME: off }"),
    ] {
        web(rule, found, &[line]);
    }
}

#[test]
fn a_proxy_is_bypassed_only_by_what_stands_behind_it() {
    let rule = "bypassed-proxy";
    let project = |proxy: &str, web: &str| {
        format!("services:\n  proxy:\n    image: {proxy}\n  web:\n    image: shop:1.4\n    {web}\n")
    };
    let nginx = "nginx:1.28\n    ports: [\"443:443\"]\n    depends_on: [web]";
    whole(rule, true, &project(nginx, "ports: [\"8000:8000\"]"));
    whole(rule, false, &project(nginx, "ports: [\"127.0.0.1:8000:8000\"]"));
    whole(rule, false, &project("nginx:1.28\n    ports: [\"443:443\"]", "ports: [\"8000:8000\"]"));
    whole(
        rule,
        false,
        &project("nginx:1.28\n    ports: [\"8443:443\"]\n    depends_on: [web]", "ports: [\"8000:8000\"]"),
    );
    let traefik = "traefik:v3.5\n    ports: [\"80:80\"]";
    whole(rule, true, &project(traefik, "ports: [\"8000:8000\"]\n    labels: { traefik.enable: 'true' }"));
    whole(rule, false, &project(traefik, "ports: [\"8000:8000\"]"));
}

#[test]
fn traefik_shows_all_unless_it_is_told_not_to() {
    let rule = "exposed-by-default";
    for (shows, lines) in [
        (true, "command: [--providers.docker]"),
        (true, "command: [--providers.docker.network=web]"),
        (true, "environment: { TRAEFIK_PROVIDERS_DOCKER: 'true' }"),
        (false, "command: [--providers.docker=true, --providers.docker.exposedByDefault=false]"),
        (
            false,
            "environment: { TRAEFIK_PROVIDERS_DOCKER: 'true', TRAEFIK_PROVIDERS_DOCKER_EXPOSEDBYDEFAULT: 'false' }",
        ),
        (false, "command: [--providers.file.directory=/etc/traefik]"),
        (false, "volumes: [\"./traefik.yml:/etc/traefik/traefik.yml:ro\"]"),
    ] {
        web(rule, shows, &["image: traefik:v3.5", lines]);
    }
    web(rule, false, &["image: shop:1.4", "command: [--providers.docker]"]);
}

#[test]
fn variables_that_nobody_sets_are_told_once() {
    let rule = "unset-variable";
    web(rule, true, &["command: [serve, \"--host=${HOST_NAME}\"]"]);
    web(rule, true, &["environment: { API_URL: }"]);
    web(
        rule,
        false,
        &["environment: { API_URL: \"${API_URL-}\", B: \"${B:-x}\", C: \"$$HOME and $${HOME}\" }"],
    );
    let project =
        load_yaml("services:\n  web:\n    image: shop:$TAG\n    environment: { A: $A, B: \"${A}${B}\" }\n");
    assert_eq!(found(&project, rule), ["`TAG`, `A` and `B` are not set and count as empty."]);
    web("swallowed-dollar", true, &["environment: { DB_PASSWORD: \"vT4$mm2Lw\" }"]);
    web("swallowed-dollar", false, &["environment: { DB_PASSWORD: \"vT4$$mm2Lw\" }"]);
    web("swallowed-dollar", false, &["environment: { DB_PASSWORD: \"$DB_PASSWORD\" }"]);
}
