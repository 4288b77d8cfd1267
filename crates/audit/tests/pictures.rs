//! What people see of each kind of problem: message, file, line, caret and hint, as pictures that are compared.
//!
//! `SEAWORTHY_BLESS=1` draws them anew.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "code of tests")]

use std::fs;
use std::path::Path;

use seaworthy_audit::report;
use seaworthy_project::fixture::{MemoryFiles, request};
use seaworthy_project::{EnvironmentName, Loaded, ProblemKind, Request, load};

/// One file beside `compose.yaml`.
type Beside = &'static [(&'static str, &'static str)];

/// A project with a problem of a kind, and its files.
fn sample(kind: ProblemKind) -> (&'static str, Beside) {
    match kind {
        ProblemKind::NoFile => ("", &[]),
        ProblemKind::Unreadable => ("services:\n  web:\n    image: x\n    env_file: web.env\n", &[]),
        ProblemKind::Limit => {
            ("services:\n  web:\n    image: x\n    ports: ['1-65535:1-65535', '1-65535:1-65535/udp']\n", &[])
        }
        ProblemKind::Syntax => ("services:\n  web:\n    image: [x\n    user: y\n", &[]),
        ProblemKind::Tab => ("services:\n  web:\n\timage: x\n", &[]),
        ProblemKind::DuplicateKey => ("services:\n  web:\n    image: x\n    user: a\n    image: y\n", &[]),
        ProblemKind::UnknownKey => ("services:\n  web:\n    image: x\n    enviroment: {A: 1}\n", &[]),
        ProblemKind::WrongType => ("services:\n  web:\n    image: x\n    ports: 80\n", &[]),
        ProblemKind::InvalidValue => ("services:\n  web:\n    image: x\n    mem_limit: lots\n", &[]),
        ProblemKind::Interpolation => ("services:\n  web:\n    image: \"shop:${TAG\"\n", &[]),
        ProblemKind::Required => ("services:\n  web:\n    image: \"shop:${TAG:?say which}\"\n", &[]),
        ProblemKind::Undefined => {
            ("services:\n  web:\n    image: x\n    depends_on: [bd]\n  db:\n    image: y\n", &[])
        }
        ProblemKind::Cycle => (
            "services:\n  a:\n    image: x\n    depends_on: [b]\n  b:\n    image: y\n    depends_on: [a]\n",
            &[],
        ),
        ProblemKind::Conflict => (
            "services:\n  a:\n    image: x\n    ports: ['80:80']\n  b:\n    image: y\n    ports: ['80:81']\n",
            &[],
        ),
        ProblemKind::Ambiguous => (
            "services:\n  web:\n    image: x\n",
            &[("compose.production.yaml", "services:\n  web:\n    image: y\n")],
        ),
        ProblemKind::EnvironmentFile => ("services:\n  web:\n    image: x\n", &[(".env", "A=1\nB C\n")]),
        ProblemKind::Dialect => ("services:\n  web:\n    image: {{ .Values.image }}\n", &[]),
        ProblemKind::Unsupported => {
            ("include:\n  - https://example.com/shop.git\nservices:\n  web:\n    image: x\n", &[])
        }
    }
}

const KINDS: [ProblemKind; 18] = [
    ProblemKind::NoFile,
    ProblemKind::Unreadable,
    ProblemKind::Limit,
    ProblemKind::Syntax,
    ProblemKind::Tab,
    ProblemKind::DuplicateKey,
    ProblemKind::UnknownKey,
    ProblemKind::WrongType,
    ProblemKind::InvalidValue,
    ProblemKind::Interpolation,
    ProblemKind::Required,
    ProblemKind::Undefined,
    ProblemKind::Cycle,
    ProblemKind::Conflict,
    ProblemKind::Ambiguous,
    ProblemKind::EnvironmentFile,
    ProblemKind::Dialect,
    ProblemKind::Unsupported,
];

fn loaded(kind: ProblemKind) -> Loaded {
    let (compose, beside) = sample(kind);
    let mut files = beside.to_vec();
    if !compose.is_empty() {
        files.push(("compose.yaml", compose));
    }
    load(&request(), &MemoryFiles::new(&files))
}

#[test]
fn each_kind_of_problem_has_its_picture() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures");
    let bless = std::env::var_os("SEAWORTHY_BLESS").is_some();
    for kind in KINDS {
        let loaded = loaded(kind);
        assert!(
            loaded.problems.iter().any(|problem| problem.kind == kind),
            "{kind:?}: {:#?}",
            loaded.problems
        );
        let picture = report::problems(&loaded.problems, &loaded.sources, false);
        let path = folder.join(format!("{kind:?}.txt"));
        if bless {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &picture).unwrap();
        }
        assert_eq!(picture, fs::read_to_string(&path).unwrap_or_default(), "{}", path.display());
        let placed = loaded.problems.iter().all(|problem| problem.span.is_some());
        assert!(placed || matches!(kind, ProblemKind::NoFile), "{kind:?} has no place");
        assert!(kind == ProblemKind::NoFile || picture.contains(['^', '-']), "{picture}");
        assert!(picture.contains("hint:"), "{picture}");
    }
}

#[test]
fn several_problems_are_told_in_one_run() {
    let text = "services:\n  web:\n    imagge: x\n    ports: 80\n    mem_limit: lots\n    depends_on: [nix]\n    user: ${U:?}\n";
    let loaded = load(&request(), &MemoryFiles::new(&[("compose.yaml", text)]));
    let lines: Vec<u32> =
        loaded.problems.iter().filter_map(|problem| Some(problem.span?.start.line)).collect();
    for line in 3..=7 {
        assert!(lines.contains(&line), "line {line}: {:#?}", loaded.problems);
    }
}

/// A file of another tool is told once, not in hundreds of errors.
#[test]
fn another_dialect_is_told_once() {
    let development = Request { environment: EnvironmentName::new("development").unwrap(), ..request() };
    for (what, text) in [
        ("a chart", "{{- if .Values.web }}\nservices:\n  web:\n    image: {{ .Values.image }}\n{{- end }}\n"),
        ("version 1", "web:\n  image: x\n  links: [db]\ndb:\n  image: y\n"),
        ("a fragment", "image: x\nports:\n  - '80:80'\nenvironment:\n  A: 1\n"),
        (
            "an object of Kubernetes",
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports:\n    - port: 80\n",
        ),
        (
            "a stack of templates",
            "services:\n  web:\n    image: x\n{% for n in names %}\n  {{ n }}:\n    image: y\n{% endfor %}\n",
        ),
    ] {
        let loaded = load(&development, &MemoryFiles::new(&[("compose.yaml", text)]));
        let told: Vec<_> = loaded.problems.iter().map(|problem| (problem.kind, &problem.message)).collect();
        assert_eq!(told.len(), 1, "{what}: {told:#?}");
        assert_eq!(told[0].0, ProblemKind::Dialect, "{what}: {told:#?}");
    }
}
