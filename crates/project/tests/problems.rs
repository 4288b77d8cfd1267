//! Each kind of problem, with its place, its message and its hint.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]

use seaworthy_project::fixture::{MemoryFiles, request, try_load};
use seaworthy_project::{Loaded, Problem, ProblemKind, load};

/// `file:line:column Kind message hint: …`, then the related places, one problem a line.
fn shown(loaded: &Loaded) -> Vec<String> {
    assert_eq!(loaded.project.is_none(), !loaded.problems.is_empty());
    let line = |problem: &Problem| {
        let place = problem.span.map(|span| loaded.sources.place(&span)).unwrap_or_else(|| "-".to_owned());
        let hint = problem.hint.as_deref().unwrap_or_default();
        let related: String = problem
            .related
            .iter()
            .map(|(span, label)| format!(" [{} {label}]", loaded.sources.place(span)))
            .collect();
        format!("{place} {:?} {} hint: {hint}{related}", problem.kind, problem.message)
    };
    loaded.problems.iter().map(line).collect()
}

#[track_caller]
fn check(yaml: &str, wanted: &[&str]) {
    assert_eq!(shown(&try_load(&[("compose.yaml", yaml)])), wanted, "{yaml}");
}

#[track_caller]
fn check_files(files: &[(&str, &str)], wanted: &[&str]) {
    assert_eq!(shown(&try_load(files)), wanted);
}

#[test]
fn no_file() {
    check_files(
        &[("readme", "")],
        &[
            "- NoFile There is no Compose file in `/srv/fixture` or a folder above it. hint: create `compose.yaml`, or name the file with `-f`",
        ],
    );
}

#[test]
fn unreadable() {
    let request = seaworthy_project::Request { files: vec!["gone.yaml".into()], ..request() };
    let loaded = load(&request, &MemoryFiles::new(&[]));
    assert_eq!(
        shown(&loaded),
        ["- Unreadable `gone.yaml` cannot be read: no such file. hint: check the path, or create the file"]
    );
}

#[test]
fn limits() {
    let big = " ".repeat((8 << 20) + 1);
    assert_eq!(try_load(&[("compose.yaml", &big)]).problems[0].kind, ProblemKind::Limit);
    let deep = format!("services: {}{}", "[".repeat(200), "]".repeat(200));
    assert_eq!(try_load(&[("compose.yaml", &deep)]).problems[0].kind, ProblemKind::Limit);
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    let loaded = try_load(&[("compose.yaml", &bomb)]);
    assert_eq!(loaded.problems[0].kind, ProblemKind::Limit);
    assert!(loaded.problems[0].message.contains("MAX_ALIAS_NODES"), "{}", loaded.problems[0].message);
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for level in 1..300 {
        chain.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    let ranges = "services: {a: {image: x, ports: ['1-65535:1-65535', '1-65535:1-65535/udp']}}";
    let loaded = try_load(&[("compose.yaml", ranges)]);
    assert!(loaded.problems[0].message.contains("MAX_PORTS"), "{}", loaded.problems[0].message);
    let loaded = try_load(&[("compose.yaml", &chain)]);
    assert!(loaded.problems[0].message.contains("MAX_DEPTH"), "{}", loaded.problems[0].message);
}

#[test]
fn syntax() {
    check(
        "services:\n  web:\n    image: \"x\n",
        &[
            "compose.yaml:4:1 Syntax This is not valid YAML: invalid indentation in multiline quoted scalar. hint: check indentation, colons and quotes on this line and the one before",
        ],
    );
    check(
        "x: *nowhere\n",
        &[
            "compose.yaml:1:4 Syntax This is not valid YAML: while parsing node, found unknown anchor. hint: check indentation, colons and quotes on this line and the one before",
        ],
    );
}

#[test]
fn tab() {
    check(
        "services:\n  web:\n\timage: x\n",
        &[
            "compose.yaml:3:1 Tab A tab is used for indentation, which YAML does not allow. hint: replace the tab with spaces",
        ],
    );
}

#[test]
fn duplicate_key() {
    check(
        "services:\n  web:\n    image: x\n    image: y\n",
        &[
            "compose.yaml:4:5 DuplicateKey The key `image` stands twice in one map. hint: keep one of the two [compose.yaml:3:5 first written here]",
        ],
    );
}

#[test]
fn unknown_keys() {
    check(
        "services:\n  web:\n    image: x\n    enviroment: {A: 1}\n    healthcheck: {tset: x}\nvolume: {}\nx-mine: 1\n",
        &[
            "compose.yaml:4:5 UnknownKey `enviroment` is not a key of a service. hint: did you mean `environment`?",
            "compose.yaml:5:19 UnknownKey `tset` is not a key of `healthcheck`. hint: did you mean `test`?",
            "compose.yaml:6:1 UnknownKey `volume` is not a key of a Compose file. hint: did you mean `volumes`?",
        ],
    );
    check(
        "services:\n  web:\n    image: x\n    x-seaworthy: {rout: {}, x-mine: 1}\n",
        &[
            "compose.yaml:4:19 UnknownKey `rout` is not a key of `x-seaworthy` of a service. hint: did you mean `route`?",
            "compose.yaml:4:29 UnknownKey `x-mine` is not a key of `x-seaworthy` of a service. hint: known here: `route`, `probe`, `process`, `run`, `timeout`, `rollout`, `prove`",
        ],
    );
}

#[test]
fn wrong_types() {
    check(
        "services:\n  web:\n    image: 1.5\n    ports: 80\n    environment: x\n    privileged: maybe\n    deploy: {replicas: many}\n",
        &[
            "compose.yaml:3:12 WrongType `services.web.image` needs a text, and `1.5` is a number. hint: put it in quotes: `\"1.5\"`",
            "compose.yaml:4:12 WrongType `services.web.ports` needs a list, and is `80`. hint: write a list here",
            "compose.yaml:5:18 WrongType `services.web.environment` needs a list or a map, and is `x`. hint: write a list or a map here",
            "compose.yaml:6:17 WrongType `services.web.privileged` needs `true` or `false`, and is `maybe`. hint: write `true` or `false` here",
            "compose.yaml:7:24 WrongType `services.web.deploy.replicas` needs a whole number of 0 or more, and is `many`. hint: write a whole number of 0 or more here",
        ],
    );
    check(
        "- a\n",
        &["compose.yaml:1:1 WrongType The file needs a map, and is a list. hint: write a map here"],
    );
    check(
        "",
        &["compose.yaml:1:1 WrongType The file is empty. hint: write at least `services:` with one service"],
    );
}

#[test]
fn a_value_filled_in_is_not_shown() {
    let loaded = try_load(&[
        ("compose.yaml", "services: {web: {image: x, environment: '${TOKEN}'}}"),
        (".env", "TOKEN=hunter2-canary"),
    ]);
    assert!(!format!("{:?}", loaded.problems).contains("canary"));
}

#[test]
fn invalid_values() {
    check(
        "services:\n  web:\n    image: x\n    restart: allways\n    ports: ['80:70000', '9-8:1']\n    mem_limit: lots\n    healthcheck: {interval: soon, test: [curl]}\n    command: \"echo 'x\"\n    volumes: ['aa:bb:cc:dd']\n    deploy: {update_config: {order: start-frist}}\n    x-seaworthy: {probe: {ready: POST /}, process: {}}\n  bad/name: {image: x}\n  nothing: {}\n",
        &[
            "compose.yaml:4:14 InvalidValue `allways` is not allowed for `restart`. hint: write `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`",
            "compose.yaml:5:13 InvalidValue `80:70000` is not a port: `70000` is not a port number from 1 to 65535. hint: write `\"8080:80\"`, `\"127.0.0.1:8080:80\"`, `\"53:53/udp\"` or the long form with `target:`",
            "compose.yaml:5:25 InvalidValue `9-8:1` is not a port: the range `9-8` runs backwards. hint: write `\"8080:80\"`, `\"127.0.0.1:8080:80\"`, `\"53:53/udp\"` or the long form with `target:`",
            "compose.yaml:6:16 InvalidValue `lots` is not allowed for `mem_limit`. hint: write a size such as `512m` or `1gb`",
            "compose.yaml:7:29 InvalidValue `soon` is not allowed for `interval`. hint: write a duration such as `30s` or `1m30s`",
            "compose.yaml:7:42 InvalidValue A health check's `test` list begins with `CMD`, `CMD-SHELL` or `NONE`. hint: write `[\"CMD\", \"program\", \"argument\"]`, or one string for the shell",
            "compose.yaml:8:14 InvalidValue A quote or bracket in this command is never closed. hint: close it, or write the command as a list: `[\"program\", \"argument\"]`",
            "compose.yaml:9:15 InvalidValue `aa:bb:cc:dd` is not a mount. hint: write `data:/var/lib/data`, `./folder:/inside:ro` or the long form with `type:`",
            "compose.yaml:10:37 InvalidValue `start-frist` is not allowed for `order`. hint: did you mean `start-first`?",
            "compose.yaml:11:34 InvalidValue `POST /` is not allowed for `ready`. hint: write `GET /path`, `tcp`, `grpc` or `grpc NAME`",
            "compose.yaml:11:52 InvalidValue `process` has no `command`. hint: add `command: [\"./program\"]`",
            "compose.yaml:12:3 InvalidValue `bad/name` is no service name: letters, digits, `.`, `-` and `_`. hint: rename the service, and every place that refers to it",
            "compose.yaml:13:3 InvalidValue `nothing` has neither `image` nor `build`. hint: add `image:` or `build:`, or `x-seaworthy: {process: {command: […]}}`",
        ],
    );
    check(
        "name: x\n",
        &["compose.yaml:1:1 InvalidValue The project has no service. hint: add one under `services:`"],
    );
    check(
        "services: {web: {image: x, secrets: [a]}}\nsecrets: {a: {}, b: {file: x, environment: Y}}\n",
        &[
            "compose.yaml:2:11 InvalidValue `secrets.a` does not say where its contents come from. hint: add `file:`, `environment:`, or `external: true`",
            "compose.yaml:2:18 InvalidValue `secrets.b` has `file` and `environment`. hint: keep one of the two",
        ],
    );
}

#[test]
fn interpolation() {
    check(
        "services:\n  web:\n    image: \"a${B\"\n    user: x$ y\n    labels:\n      a: |\n        one\n        ${2}\n    hostname: ${A!b}\n",
        &[
            "compose.yaml:3:14 Interpolation This `${` is never closed. hint: add the missing `}`, or write `$$` for a `$` that stands for itself",
            "compose.yaml:8:9 Interpolation `${2}` does not name a variable. hint: a name has letters, digits and `_`, and does not begin with a digit",
            "compose.yaml:9:15 Interpolation `${A!b}` has no operator that Compose knows. hint: after the name, write `:-default`, `-default`, `:?message`, `?message`, `:+other` or `+other`",
        ],
    );
}

#[test]
fn required_variable() {
    check(
        "services:\n  web:\n    image: \"é ${TAG:?set the tag}\"\n    user: ${A:-${B?}}\n    x-seaworthy:\n      route: { host: \"${HOST:?}\" }\n",
        &[
            "compose.yaml:3:15 Required The variable `TAG` must be set: set the tag. hint: set `TAG` in the shell or in an environment file",
            "compose.yaml:4:16 Required The variable `B` must be set. hint: set `B` in the shell or in an environment file",
            "compose.yaml:6:23 Required The variable `HOST` must be set. hint: set `HOST` in the shell or in an environment file",
        ],
    );
}

#[test]
fn unset_variable_is_a_warning() {
    let loaded = try_load(&[("compose.yaml", "version: '3'\nservices:\n  web:\n    image: x$TAG\n")]);
    let warnings: Vec<String> = loaded
        .warnings
        .iter()
        .map(|warning| format!("{} {}", loaded.sources.place(&warning.span.unwrap()), warning.message))
        .collect();
    assert_eq!(
        warnings,
        [
            "compose.yaml:1:1 `version` is obsolete and ignored.",
            "compose.yaml:4:13 The variable `TAG` is not set and counts as empty.",
        ]
    );
    assert_eq!(loaded.project.unwrap().services().next().unwrap().image.as_ref().unwrap().value, "x");
}

#[test]
fn undefined() {
    check(
        "services:\n  web:\n    image: x\n    depends_on: [bd]\n    networks: [frnt]\n    volumes: ['dta:/d']\n    secrets: [s]\n    configs: [c]\n  db: {image: x, network_mode: 'service:wbe', profiles: [p]}\n  api: {image: x, depends_on: [db], extends: {service: nix}}\nnetworks: {front: }\nvolumes: {data: }\n",
        &[
            "compose.yaml:4:18 Undefined There is no service `bd`. hint: did you mean `db`?",
            "compose.yaml:5:16 Undefined There is no network `frnt`. hint: did you mean `front`?",
            "compose.yaml:6:15 Undefined There is no volume `dta`. hint: did you mean `data`?",
            "compose.yaml:7:15 Undefined There is no secret `s`. hint: add `s` under the top-level `secrets:`",
            "compose.yaml:8:15 Undefined There is no config `c`. hint: add `c` under the top-level `configs:`",
            "compose.yaml:10:32 Undefined `api` needs `db`, which its profiles leave out. hint: add `--profile p`, or say `required: false` [compose.yaml:9:7 `db` is only in the profile `p`]",
            "compose.yaml:10:56 Undefined There is no service `nix` to extend. hint: check its name and file",
        ],
    );
}

#[test]
fn a_link_needs_a_service_that_is_there() {
    check(
        "services:\n  a: {image: x, links: [t], network_mode: 'service:t'}\n  t: {image: x, profiles: [p]}\n",
        &[
            "compose.yaml:2:25 Undefined `a` needs `t`, which its profiles leave out. hint: add `--profile p` [compose.yaml:3:6 `t` is only in the profile `p`]",
            "compose.yaml:2:43 Undefined `a` needs `t`, which its profiles leave out. hint: add `--profile p` [compose.yaml:3:6 `t` is only in the profile `p`]",
        ],
    );
}

#[test]
fn cycles() {
    check(
        "services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [c]}\n  c: {image: x, depends_on: [a]}\n  d: {image: x, depends_on: [d, a]}\n",
        &[
            "compose.yaml:4:30 Cycle The services wait for each other in a circle: `a` → `b` → `c` → `a`. hint: remove one of these `depends_on` [compose.yaml:2:30 `a` waits for `b`] [compose.yaml:3:30 `b` waits for `c`]",
            "compose.yaml:5:30 Cycle The services wait for each other in a circle: `d` → `d`. hint: remove one of these `depends_on`",
        ],
    );
    check(
        "services:\n  a: {image: x, extends: b}\n  b: {image: x, extends: a}\n",
        &[
            "compose.yaml:2:26 Cycle `extends` runs in a circle: `b` → `a` → `b`. hint: remove one of these `extends`",
            "compose.yaml:3:26 Cycle `extends` runs in a circle: `a` → `b` → `a`. hint: remove one of these `extends`",
        ],
    );
    check_files(
        &[
            ("compose.yaml", "include: [b.yaml]\nservices: {a: {image: x}}\n"),
            ("b.yaml", "include:\n  - compose.yaml\nservices: {b: {image: x}}\n"),
        ],
        &[
            "b.yaml:2:5 Cycle `include` runs in a circle: `compose.yaml` → `b.yaml` → `compose.yaml`. hint: remove one of these `include`s",
        ],
    );
    check(
        "x: &x [*x]\n",
        &["compose.yaml:1:8 Cycle This alias stands inside its own anchor, so it would never end. hint: "],
    );
}

#[test]
fn conflicts() {
    check(
        "services:\n  a: {image: x, ports: ['80:1', '53:1/udp']}\n  b: {image: x, ports: ['127.0.0.1:80:2', '53:1']}\n",
        &[
            "compose.yaml:3:25 Conflict `a` and `b` both publish host port 80/tcp. hint: give one of them another host port [compose.yaml:2:25 `a` publishes it here]",
        ],
    );
    let routed = |a: &str, b: &str| {
        let service = |name: &str, route: &str| {
            format!("  {name}: {{image: x, ports: ['80:1'], x-seaworthy: {{route: {{{route}}}}}}}\n")
        };
        format!("services:\n{}{}", service("a", a), service("b", b))
    };
    check(&routed("path: /", "path: /api"), &[]);
    check(&routed("host: one.example", "host: two.example, port: 1"), &[]);
    check(
        &routed("path: /", ""),
        &[
            "compose.yaml:3:25 Conflict `a` and `b` both publish host port 80/tcp. hint: give one of them another `path` or `host` in `x-seaworthy.route` [compose.yaml:2:25 `a` publishes it here]",
        ],
    );
    check(
        "services:\n  a:\n    image: x\n    network_mode: host\n    networks: [n]\n    container_name: one\n    scale: 2\n    mem_limit: 1m\n    deploy: {resources: {limits: {memory: 2m}}}\n  b: {image: x, container_name: one}\nnetworks: {n: }\n",
        &[
            "compose.yaml:4:19 Conflict `a` has `network_mode` and `networks`, which exclude each other. hint: keep one of the two [compose.yaml:5:15 `networks` is here]",
            "compose.yaml:6:21 Conflict `a` has a `container_name`, so it cannot have several replicas. hint: remove `container_name` [compose.yaml:7:12 replicas are asked for here]",
            "compose.yaml:8:16 Conflict `a` has `mem_limit` and another `deploy.resources.limits.memory`. hint: keep one of the two [compose.yaml:9:43 `deploy.resources.limits.memory` is here]",
            "compose.yaml:10:33 Conflict `a` and `b` both have the container name `one`. hint: remove one `container_name` [compose.yaml:6:21 first used here]",
        ],
    );
    check_files(
        &[
            ("compose.yaml", "include: [b.yaml]\nservices: {a: {image: x}}\n"),
            ("b.yaml", "services: {a: {image: y}}\n"),
        ],
        &[
            "compose.yaml:2:12 Conflict `services.a` is defined here and in an included file. hint: rename one, or change it in a file of its own given with `-f` [b.yaml:1:12 included from here]",
        ],
    );
}

#[test]
fn ambiguous() {
    check_files(
        &[("compose.yaml", "services: {a: {image: x}}"), ("compose.prod.yaml", "services: {a: {image: y}}")],
        &[
            "compose.prod.yaml:1:12 Ambiguous `compose.prod.yaml` could lie over `compose.yaml` or stand alone: all its services have an image or a build. hint: say `-f compose.yaml -f compose.prod.yaml` or `-f compose.prod.yaml`, or write `x-seaworthy: {overlay: true}` in `compose.prod.yaml`",
        ],
    );
    check_files(
        &[
            ("compose.yaml", "services: {a: {image: x}}"),
            ("compose.prod.yaml", "services: {a: {user: a}}"),
            ("docker-compose.production.yml", "services: {a: {user: b}}"),
        ],
        &[
            "- Ambiguous `docker-compose.production.yml` and `compose.prod.yaml` are both overlays for `production`. hint: choose with `-f compose.yaml -f docker-compose.production.yml` or `-f compose.yaml -f compose.prod.yaml`",
        ],
    );
}

#[test]
fn environment_files() {
    check_files(
        &[
            ("compose.yaml", "services: {web: {image: x, env_file: [web.env, gone.env]}}"),
            (".env", "A=1\nB C=2\n"),
            ("web.env", "X=1\nY=\"open\nZ=1\n"),
        ],
        &[
            ".env:2:1 EnvironmentFile There is no `=` after the variable's name. hint: write one `NAME=value` a line; put values with spaces or `#` in quotes",
            "compose.yaml:1:48 Unreadable `gone.env` cannot be read: no such file. hint: create the file, correct the path, or say `required: false` beside `path:`",
            "web.env:2:3 EnvironmentFile This quote is never closed. hint: write one `NAME=value` a line; put values with spaces or `#` in quotes",
        ],
    );
}

#[test]
fn dialects() {
    check(
        "services:\n  {{- range .Values.x }}\n  web: {image: x}\n",
        &[
            "compose.yaml:2:3 Dialect This is a template of another tool (`{{` or `{%`), not a Compose file. hint: render the template first, and give its output with `-f`",
        ],
    );
    check(
        "web:\n  image: x\ndb:\n  image: y\n",
        &[
            "compose.yaml:1:1 Dialect This is a Compose file of version 1: its services stand at the top level. hint: put them under `services:`",
        ],
    );
}

#[test]
fn unsupported() {
    check(
        "include:\n  - https://example.test/compose.yaml\nservices: {a: {image: x}}\n",
        &[
            "compose.yaml:2:5 Unsupported Files from another machine cannot be included yet. hint: copy the file here and include the copy",
        ],
    );
}
