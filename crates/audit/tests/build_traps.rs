//! What looks like a defect of a Dockerfile or of an environment file and is none, and what is one and does not look so.

use seaworthy_audit::check;
use seaworthy_project::fixture::{MemoryFiles, problems, request};

const BUILT: &str = "services:\n  web:\n    build: .\n";

/// How often a rule is found in a project of these files.
#[track_caller]
fn count(rule: &str, files: &[(&str, &str)]) -> usize {
    assert!(seaworthy_audit::explain(rule).is_some(), "`{rule}` is a rule");
    let loaded = seaworthy_project::load(&request(), &MemoryFiles::new(files));
    let shown = problems(&loaded);
    let findings = loaded.project.map(|project| check(&project));
    assert!(findings.is_some(), "{shown:?}");
    findings.iter().flatten().filter(|finding| finding.rule.id == rule).count()
}

#[track_caller]
fn built(rule: &str, expected: usize, dockerfile: &str) {
    assert_eq!(
        count(rule, &[("compose.yaml", BUILT), ("Dockerfile", dockerfile)]),
        expected,
        "{rule}\n{dockerfile}"
    );
}

#[track_caller]
fn with(rule: &str, expected: usize, compose: &str, dockerfile: &str) {
    assert_eq!(
        count(rule, &[("compose.yaml", compose), ("Dockerfile", dockerfile)]),
        expected,
        "{rule}\n{compose}"
    );
}

#[test]
fn only_the_stage_that_becomes_the_image_counts() {
    let staged = "FROM node:22-slim AS build\nUSER root\nRUN apt-get install -y sudo\nFROM node:22-slim AS app\nUSER 1000\nFROM app AS dev\nUSER root\n";
    let to = |target: &str| format!("services:\n  web:\n    build: {{ context: ., target: {target} }}\n");
    for rule in ["root-in-image", "sudo-in-image"] {
        with(rule, 0, &to("app"), staged);
    }
    with("root-in-image", 1, &to("dev"), staged);
    with("root-in-image", 1, &to("build"), staged);
    with("sudo-in-image", 1, &to("\"1\""), "FROM a:1\nFROM a:1\nRUN sudo true\n");
    built("root-in-image", 0, "FROM node:22-slim AS base\nUSER node\nFROM base\nCMD [\"node\"]\n");
    built("root-in-image", 1, "ARG WHO=root\nFROM node:22-slim\nARG WHO\nUSER ${WHO}\n");
    built("root-in-image", 0, "FROM postgres:17\n");
    built("root-in-image", 0, "FROM ghcr.io/somebody/app:1\n");
}

#[test]
fn what_the_compose_file_says_overrules_the_dockerfile() {
    let service = |line: &str| format!("services:\n  web:\n    build: .\n    {line}\n");
    let dockerfile = "FROM node:22-slim\nUSER root\nENV NODE_ENV=development\nSTOPSIGNAL SIGKILL\nHEALTHCHECK NONE\nCMD node .\n";
    for (rule, line) in [
        ("root-in-image", "user: \"1000\""),
        ("shell-form-command", "command: [\"node\", \".\"]"),
        ("development-mode-in-image", "environment: { NODE_ENV: production }"),
        ("kill-stop-signal", "stop_signal: SIGTERM"),
        ("healthcheck-off-in-image", "healthcheck: { test: [CMD, x] }"),
    ] {
        built(rule, 1, dockerfile);
        with(rule, 0, &service(line), dockerfile);
    }
    built("missing-healthcheck", 0, "FROM a:1\nHEALTHCHECK CMD [\"/x\"]\n");
    built("missing-healthcheck", 1, "FROM a:1\nHEALTHCHECK CMD [\"/x\"]\nHEALTHCHECK NONE\n");
}

#[test]
fn one_dockerfile_of_several_services_is_told_once() {
    let two = "services:\n  web:\n    build: .\n  worker:\n    build: .\n";
    let dockerfile = "FROM node\nRUN curl -k https://a.example/x -o /x\n";
    for rule in ["root-in-image", "moving-base-image", "unverified-transfer"] {
        with(rule, 1, two, dockerfile);
    }
    with(
        "root-in-image",
        1,
        "services:\n  web:\n    build: .\n    user: \"1\"\n  worker:\n    build: .\n",
        dockerfile,
    );
}

#[test]
fn base_images_are_what_their_arguments_say() {
    for (dockerfile, moving) in [
        ("FROM scratch\n", 0),
        ("ARG TAG=22\nFROM node:${TAG}-slim\n", 0),
        ("ARG TAG\nFROM node:${TAG:-latest}\n", 1),
        ("FROM --platform=$BUILDPLATFORM node:22 AS b\nFROM b\n", 0),
        ("FROM node:22 AS b\nFROM a:1\nCOPY --from=b /x /x\nCOPY --from=0 /y /y\n", 0),
        ("FROM a:1\nCOPY --from=composer /x /x\n", 1),
    ] {
        built("moving-base-image", moving, dockerfile);
    }
    let given = "services:\n  web:\n    build: { context: ., args: { TAG: \"14\" } }\n";
    with("end-of-life-base-image", 1, given, "ARG TAG=22\nFROM node:${TAG}-slim\n");
    built("broken-stage-reference", 1, "ARG TAG\nFROM node:$TAG\n");
    built(
        "unset-build-variable",
        0,
        "ARG TAG=1\nFROM a:$TAG\nARG TAG\nRUN echo $TAG\nFROM a:1\nRUN TAG=2 && echo $TAG '$TAG'\n",
    );
}

#[test]
fn downloads_that_are_checked_or_not_kept_are_fine() {
    for (run, found) in [
        ("curl -fsS http://localhost:8000/health", 0),
        ("curl -fsSL https://x.example/k.asc | gpg --dearmor -o /usr/share/keyrings/k.gpg", 0),
        ("curl -fsSLo a https://x.example/a && echo \"1  a\" | sha256sum -c", 0),
        ("wget -qO- https://x.example/v | grep 1", 0),
        ("curl -fsSL https://x.example/a.tgz | tar xz", 1),
        ("wget https://x.example/a", 1),
    ] {
        built("unchecked-download", found, &format!("FROM a:1\nRUN {run}\n"));
    }
    for (run, found) in [
        ("curl -s https://x.example/a.json | python3 -m json.tool", 0),
        ("curl -s https://x.example/a | sh -c 'cat'", 0),
        ("echo 'curl x | sh'", 0),
        ("curl -s https://x.example/a | sudo -E bash -", 1),
        ("wget -qO- https://x.example/a | tee /b | sh -s -- -y", 1),
        ("eval \"$(curl -s https://x.example/a)\"", 1),
        ("bash <(curl -s https://x.example/a)", 1),
    ] {
        built("piped-download", found, &format!("FROM a:1\nRUN {run}\n"));
    }
}

#[test]
fn names_alone_do_not_make_a_credential() {
    for line in [
        "ENV TOKEN_PATH=/x SECRET_NAME=y",
        "ENV PASSWORD_FILE=/run/secrets/x",
        "ENV API_TOKEN=",
        "ENV API_TOKEN=${API_TOKEN_FROM_OUTSIDE_URL}",
        "ARG SECRET_KEY_BASE=dummy",
    ] {
        built("credential-in-image", 0, &format!("FROM a:1\n{line}\n"));
    }
    built("credential-in-image", 1, "FROM a:1\nARG NPM_TOKEN\nENV TOKEN=$NPM_TOKEN\n");
    built("secret-build-argument", 0, "FROM a:1\nARG NPM_TOKEN\n");
    built(
        "credential-in-build-step",
        0,
        "FROM a:1\nRUN app --password-file /x --token $T && curl -u \"$U:$P\" https://x.example\n",
    );
    built(
        "credential-in-build-step",
        1,
        "FROM a:1\nCMD [\"redis-server\", \"--requirepass\", \"q8Zk2vNw77Lp\"]\n",
    );
}

#[test]
fn modes_and_forms_are_read_whole() {
    for (step, found) in [
        ("chmod 1777 /tmp", 0),
        ("chmod 755 /a", 0),
        ("chmod o+w /a", 1),
        ("chmod a+rwx /a", 1),
        ("chmod +x /a", 0),
    ] {
        built("world-writable-files", found, &format!("FROM a:1\nRUN {step}\n"));
    }
    built("shell-form-command", 0, "FROM a:1\nCMD exec /app\n");
    built("shell-form-command", 0, "FROM a:1\nENTRYPOINT [\"sh\", \"-c\", \"x && exec y\"]\n");
    built(
        "lock-file-ignored",
        0,
        "FROM a:1\nCOPY package-lock.json .\nRUN npm install -g pnpm@9 && npm ci\n",
    );
}

#[test]
fn a_dockerfile_inside_the_compose_file_keeps_its_places() {
    let yaml = "services:\n  web:\n    build:\n      dockerfile_inline: |\n        FROM a:1\n        RUN curl -s https://x.example/a | sh\n";
    let loaded = seaworthy_project::load(&request(), &MemoryFiles::new(&[("compose.yaml", yaml)]));
    let project = loaded.project.unwrap();
    let findings = check(&project);
    let found = findings.iter().find(|finding| finding.rule.id == "piped-download").unwrap();
    assert_eq!(project.sources.place(&found.span), "compose.yaml:6:13");
}

#[test]
fn the_last_pattern_of_dockerignore_decides() {
    let files = |ignore: &'static str| {
        count(
            "environment-file-in-image",
            &[
                ("compose.yaml", BUILT),
                ("Dockerfile", "FROM a:1\nCOPY . .\n"),
                (".env", "A=1\n"),
                (".dockerignore", ignore),
            ],
        )
    };
    assert_eq!((files(".env*\n"), files("*\n!src\n"), files("**/.env\n")), (0, 0, 0));
    assert_eq!((files("*.md\n"), files(".env*\n!.env\n")), (1, 1));
}

#[test]
fn files_of_variables_are_judged_by_what_they_are_for() {
    let image =
        ("compose.yaml", "services:\n  web:\n    image: shop:1.4\n    environment: { A: \"${A}\" }\n");
    let git = (".git/HEAD", "x");
    let secret = "A=1\nDB_PASSWORD=vT4-mm2Lw-Q9\n";
    assert_eq!(count("environment-file-in-git", &[image, (".env", secret)]), 0);
    assert_eq!(count("environment-file-in-git", &[image, (".env", secret), git]), 1);
    assert_eq!(
        count("environment-file-in-git", &[image, (".env", secret), git, (".gitignore", "*.log\n.env\n")]),
        0
    );
    assert_eq!(count("environment-file-in-git", &[image, (".env", "A=1\n"), git]), 0);
    assert_eq!(
        count("environment-file-in-git", &[image, (".env.example", "DB_PASSWORD=vT4-mm2Lw-Q9\n"), git]),
        0
    );
    assert_eq!(
        count(
            "weak-credential-in-file",
            &[image, (".env", "A=1\n"), (".env.example", "DB_PASSWORD=changeme\n")]
        ),
        0
    );
    assert_eq!(count("ambiguous-value", &[image, (".env", "A='x y # z'\nB=\"c d\"\n")]), 0);
    assert_eq!(
        count("swallowed-dollar", &[image, (".env", "A=1\nDB_PASSWORD=${A}x\nJWT_SECRET='a$b'\n")]),
        0
    );
    assert_eq!(count("duplicate-variable", &[image, (".env", "A=1\nB=\"x\nA=2\"\n")]), 0);
}
