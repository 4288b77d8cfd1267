//! Mending edits Dockerfiles and example files, keeps every other byte, and is done after one time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use seaworthy_audit::dockerfile::parse;
use seaworthy_audit::{Level, Mended, check, mend};
use seaworthy_project::fixture::{FOLDER, MemoryFiles, problems, request};
use seaworthy_project::{FileId, Loaded, load};

const COMPOSE: &str = "services:\n  web:\n    build: .\n    ports: [\"8000:8000\"]\n";

fn reload(files: &[(&str, &str)], revised: &BTreeMap<PathBuf, String>) -> Loaded {
    let with = |(path, text): &(&'_ str, &'_ str)| {
        let new = revised.get(&Path::new(FOLDER).join(path));
        ((*path).to_owned(), new.cloned().unwrap_or_else(|| (*text).to_owned()))
    };
    let all: Vec<(String, String)> = files.iter().map(with).collect();
    let all: Vec<(&str, &str)> = all.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    load(&request(), &MemoryFiles::new(&all))
}

fn run(files: &[(&str, &str)], level: Level) -> Mended {
    let loaded = reload(files, &BTreeMap::new());
    let shown = problems(&loaded);
    let Some(project) = loaded.project else { panic!("{shown:?}") };
    mend(&project, &|revised| reload(files, revised), level, &|_| true)
}

/// What a Dockerfile becomes; a second time must change nothing.
#[track_caller]
fn becomes(text: &str, level: Level) -> String {
    let files = [("compose.yaml", COMPOSE), ("Dockerfile", text)];
    let first = run(&files, level);
    let path = Path::new(FOLDER).join("Dockerfile");
    let new = first.files.get(&path).cloned().unwrap_or_else(|| text.to_owned());
    let again = run(&[("compose.yaml", COMPOSE), ("Dockerfile", &new)], level);
    assert!(
        again.files.is_empty() && again.applied.is_empty(),
        "a second time changes nothing: {:?}",
        again.applied
    );
    new
}

#[test]
fn each_instruction_is_mended_where_it_stands() {
    for (before, after) in [
        ("FROM debian:13-slim\nadd app /app # x\n", "FROM debian:13-slim\ncopy app /app # x\n"),
        (
            "FROM debian:13-slim\nADD --chown=1:1 a b /app/\nADD a b /app/\n",
            "FROM debian:13-slim\nCOPY --chown=1:1 a b /app/\nCOPY a b /app/\n",
        ),
        (
            "FROM debian:13-slim\nMAINTAINER some one\n",
            "FROM debian:13-slim\nLABEL org.opencontainers.image.authors=\"some one\"\n",
        ),
        ("FROM debian:13-slim\nENV A  b c\n", "FROM debian:13-slim\nENV A=\"b c\"\n"),
        (
            "FROM debian:13-slim\nCMD ./server --port 8000\n",
            "FROM debian:13-slim\nCMD [\"./server\", \"--port\", \"8000\"]\n",
        ),
        (
            "FROM debian:13-slim\nCMD ./server --port $PORT\n",
            "FROM debian:13-slim\nCMD exec ./server --port $PORT\n",
        ),
        (
            "FROM debian:13-slim\nCMD ./migrate && ./server\n",
            "FROM debian:13-slim\nCMD ./migrate && exec ./server\n",
        ),
        ("FROM debian:13-slim\nENTRYPOINT ./server\n", "FROM debian:13-slim\nENTRYPOINT exec ./server\n"),
        (
            "FROM debian:13-slim\r\nRUN apt-get update \\\r\n    # why\r\n    && apt-get install -y --no-install-recommends tini\r\n",
            "FROM debian:13-slim\r\nRUN apt-get update \\\r\n    # why\r\n    && apt-get install -y --no-install-recommends tini \\\r\n    && rm -rf /var/lib/apt/lists/*\r\n",
        ),
        ("FROM alpine:3.22\nRUN apk add tini\n", "FROM alpine:3.22\nRUN apk add --no-cache tini\n"),
        (
            "FROM python:3.13-slim\nUSER 1\nRUN pip install flask==3.0.0",
            "FROM python:3.13-slim\nUSER 1\nRUN pip install --no-cache-dir flask==3.0.0",
        ),
        (
            "FROM debian:13-slim\nRUN apt-get update && apt-get install --no-install-recommends tini && rm -rf /var/lib/apt/lists/*\n",
            "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*\n",
        ),
    ] {
        assert_eq!(becomes(before, Level::Safe), after);
    }
}

#[test]
fn what_is_not_surely_the_same_is_left_alone() {
    for same in [
        "FROM debian:13-slim\nADD app.tar.gz /app\n",
        "FROM debian:13-slim\nADD https://shop.example/a /app\n",
        "FROM debian:13-slim\nSHELL [\"/bin/bash\", \"-c\"]\nCMD ./server one\n",
        "FROM debian:13-slim\nCMD ./one & ./two\n",
        "FROM debian:13-slim\nCMD if true; then ./server; fi\n",
        "FROM debian:13-slim\nCMD ./server | tee log\n",
        "FROM debian:13-slim\nRUN <<EOF\napt-get update\napt-get install -y --no-install-recommends tini\nEOF\n",
        "FROM debian:13-slim\nENV A \"b\\\"c\"\n",
    ] {
        assert_eq!(becomes(same, Level::Safe), same);
    }
}

#[test]
fn levels_reach_as_far_as_they_say() {
    let node = "FROM node:22-slim\nWORKDIR /app\nCOPY . .\nEXPOSE 8000\nCMD [\"node\", \"index.js\"]\n";
    assert_eq!(becomes(node, Level::Safe), node);
    let with = node.replace("COPY . .\n", "COPY . .\nUSER 1000\n");
    assert_eq!(becomes(node, Level::NeedsImageKnowledge), with);
    let python = "FROM python:3.13-slim\nCMD [\"python\", \"-m\", \"shop\"]\n";
    assert_eq!(becomes(python, Level::BehaviourChanging), python, "a user is never made up");
    let apt = "FROM debian:13-slim\nUSER 1\nRUN apt-get update && apt-get install -y tini && rm -rf /var/lib/apt/lists/*\n";
    assert_eq!(becomes(apt, Level::NeedsImageKnowledge), apt);
    let spare = apt.replace("install -y", "install --no-install-recommends -y");
    assert_eq!(becomes(apt, Level::BehaviourChanging), spare);
}

#[test]
fn examples_get_the_names_they_lack_and_no_value() {
    let files = [
        (
            "compose.yaml",
            "services:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n      B: ${B}\n",
        ),
        (".env", "A=kZ8qn2Vw1tR7\nB=2\n"),
        (".env.example", "# names\nB="),
    ];
    let mended = run(&files, Level::Safe);
    let text = &mended.files[&Path::new(FOLDER).join(".env.example")];
    assert_eq!(text, "# names\nB=\nA=\n");
}

#[test]
fn dockerfiles_of_others_change_only_as_declared() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let mut edited = 0;
    for text in dockerfiles(&corpus) {
        let files = [("compose.yaml", COMPOSE), ("Dockerfile", text.as_str())];
        let loaded = reload(&files, &BTreeMap::new());
        let before = check(&loaded.project.unwrap()).len();
        let mended = run(&files, Level::BehaviourChanging);
        let new = becomes(&text, Level::BehaviourChanging);
        let (old_file, new_file) = (parse(FileId(0), &text), parse(FileId(0), &new));
        assert_eq!(old_file.faults.len(), new_file.faults.len(), "{new}");
        let after = reload(&[("compose.yaml", COMPOSE), ("Dockerfile", &new)], &BTreeMap::new());
        let left = check(&after.project.unwrap()).len();
        assert!(left <= before, "no finding is new:\n{new}");
        for line in text.lines().filter(|line| line.trim_start().starts_with('#')) {
            assert!(new.lines().any(|other| other == line), "`{line}` stays in\n{new}");
        }
        edited += mended.applied.len();
    }
    assert!(edited > 20 || !corpus.is_dir(), "{edited} mends in the corpus");
}

/// The Dockerfiles below a folder; none where the corpus is not there.
#[expect(clippy::disallowed_methods, reason = "the test reads projects of others where they are there")]
fn dockerfiles(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            texts.extend(dockerfiles(&path));
        } else if path.file_name().is_some_and(|name| name.to_string_lossy().contains("Dockerfile")) {
            texts.extend(std::fs::read_to_string(&path).ok());
        }
    }
    texts
}

#[test]
fn an_image_that_runs_what_its_base_runs_gets_its_test() {
    let level = Level::NeedsImageKnowledge;
    let before = "FROM mysql:8.4\nCOPY schema.sql /docker-entrypoint-initdb.d/\n";
    let after = "FROM mysql:8.4\nCOPY schema.sql /docker-entrypoint-initdb.d/\nHEALTHCHECK --interval=10s --timeout=5s --retries=5 \
                 --start-period=120s CMD [\"mysqladmin\", \"ping\", \"-h\", \"127.0.0.1\", \"--silent\"]\n";
    assert_eq!(becomes(before, level), after);
    assert_eq!(becomes(before, Level::Safe), before);
    let shell = becomes("FROM postgres:17\nCOPY a.sql /docker-entrypoint-initdb.d/\n", level);
    assert!(
        shell.contains("--start-period=60s CMD pg_isready -q -h 127.0.0.1 -U \"${POSTGRES_USER"),
        "{shell}"
    );
    let other = "FROM mysql:8.4\nCOPY schema.sql /docker-entrypoint-initdb.d/\nCMD [\"mysqldump\"]\n";
    assert_eq!(becomes(other, level), other, "it runs something else");
}
