//! Beginning writes what production needs, tells no secret, and only ever adds.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the failure")]

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use seaworthy_audit::init::{Start, Started, init, stand_ins};
use seaworthy_audit::{Severity, check};
use seaworthy_project::fixture::{FOLDER, MemoryFiles, problems, request};
use seaworthy_project::{Detail, Loaded, Project, Request, load};

const OVERLAY: &str = "compose.production.yaml";

/// A project in memory.
struct Case<'a> {
    files: Vec<(&'a str, &'a str)>,
    template: Option<&'a str>,
    document: Option<&'a str>,
}

impl<'a> Case<'a> {
    fn new(files: &[(&'a str, &'a str)]) -> Self {
        Self { files: files.to_vec(), template: None, document: None }
    }

    fn load(&self, overlay: Option<&str>, detail: Detail, variables: IndexMap<String, String>) -> Loaded {
        let mut files = self.files.clone();
        if let Some(text) = overlay {
            files.retain(|(path, _)| *path != OVERLAY);
            files.push((OVERLAY, text));
        }
        load(&Request { detail, variables, ..request() }, &MemoryFiles::new(&files))
    }

    fn plain(&self, overlay: Option<&str>) -> Loaded {
        let detail = Detail { interpolate: false, resolve_environment: false, ..Detail::default() };
        self.load(overlay, detail, IndexMap::new())
    }

    fn filled(&self, overlay: Option<&str>) -> Loaded {
        let plain = self.plain(overlay).project;
        let variables = plain.iter().flat_map(stand_ins).collect();
        self.load(overlay, Detail::default(), variables)
    }

    fn begin(&self) -> Started {
        let overlay = self.files.iter().find(|(path, _)| *path == OVERLAY).map(|(_, text)| *text);
        let loaded = self.filled(None);
        let shown = problems(&loaded);
        let Some(project) = loaded.project else { panic!("{shown:?}") };
        let manifest = |path: &Path| {
            let path = path.strip_prefix(FOLDER).ok()?;
            self.files.iter().find(|(file, _)| Path::new(file) == path).map(|(_, text)| (*text).to_owned())
        };
        let start = Start {
            project: &project,
            overlay,
            template: self.template,
            document: self.document,
            reload: &|text| self.filled(Some(text)),
            plain: &|text| self.plain(Some(text)),
            manifest: &manifest,
            may: &|_, _| true,
        };
        init(&start).unwrap()
    }

    /// The project as a person gets it who fills in the template.
    fn filled_in(&self, started: &Started) -> Project {
        let mut template = started.template.clone();
        for (number, (from, _)) in started.template.match_indices('<').enumerate() {
            let Some(end) = started.template[from..].find('>') else { continue };
            let placeholder = &started.template[from..=from + end];
            let value =
                if placeholder == "<port>" { "8099".to_owned() } else { format!("kZ8qn2Vw1tR7{number}") };
            template = template.replacen(placeholder, &value, 1);
        }
        let mut files = self.files.clone();
        files.retain(|(path, _)| *path != OVERLAY);
        files.extend([(OVERLAY, started.overlay.as_str()), (".env.production", template.as_str())]);
        let loaded = load(&request(), &MemoryFiles::new(&files));
        let shown = problems(&loaded);
        loaded.project.unwrap_or_else(|| panic!("{shown:?}\n{}\n{template}", started.overlay))
    }
}

const SHOP: &[(&str, &str)] = &[
    (
        "compose.yaml",
        "services:\n  web:\n    build: .\n    ports: [\"8000:8000\"]\n    depends_on: [db, cache]\n    environment:\n      \
         DATABASE_URL: postgres://shop:hunter2secret@db:5432/shop\n      DB_PASSWORD: hunter2secret\n      \
         SESSION_SECRET: ${SESSION_SECRET}\n      LEVEL: ${LEVEL:-info}\n      HOST: ${PUBLIC_HOST:?}\n      \
         MAILER: ${MAILER}\n  cache:\n    image: redis:8\n  db:\n    image: postgres:17\n    ports: [\"5432:5432\"]\n    \
         environment:\n      POSTGRES_USER: shop\n      POSTGRES_PASSWORD: hunter2secret\n",
    ),
    ("Dockerfile", "FROM node:22-slim\nWORKDIR /app\nCOPY . .\nUSER 1000\nCMD [\"node\", \"index.js\"]\n"),
    ("package.json", "{ \"dependencies\": { \"express\": \"5\" } }"),
    (".env", "SESSION_SECRET=hunter3secret\n# How mail is sent.\nMAILER=smtp\n"),
];

#[test]
fn a_project_gets_what_can_be_told_from_its_files() {
    let case = Case::new(SHOP);
    let started = case.begin();
    let text = &started.overlay;
    assert_eq!(started.recognised, [("web".to_owned(), "Express")]);
    assert_eq!(started.to_fill_in, ["POSTGRES_PASSWORD", "PUBLIC_HOST", "SESSION_SECRET"]);
    for line in [
        "overlay: true",
        "DATABASE_URL: \"postgres://shop:${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD in .env.production}@db:5432/shop\"",
        "DB_PASSWORD: \"${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD in .env.production}\"",
        "POSTGRES_PASSWORD: !reset null",
        "POSTGRES_PASSWORD_FILE: /run/secrets/postgres_password",
        "ports: !reset null",
        "NODE_ENV: production",
        "ready: \"GET /\"",
    ] {
        assert!(text.contains(line), "`{line}` is in\n{text}");
    }
    let route = started.decisions.iter().any(|decision| decision.key == "services.web.x-seaworthy.route");
    assert!(route, "{:?}", started.decisions);
    let whole = format!("{text}{}{}", started.template, started.document);
    assert!(
        !whole.contains("hunter") && !whole.contains("stand-in"),
        "no value of a secret is written:\n{whole}"
    );
    assert_eq!(
        started.template,
        "# Copy this file to .env.production, fill it in, keep it out of Git and readable by you alone (chmod 600).\n\
         # What stands in <angle brackets> has to be replaced: `seaworthy check` refuses it.\n\n\
         # secret; required; used by web, db\n# make one with: openssl rand -hex 24\nPOSTGRES_PASSWORD=<secret>\n\n\
         # host name; required; used by web\nPUBLIC_HOST=<host-name>\n\n\
         # secret; required; used by web\n# make one with: openssl rand -hex 24\nSESSION_SECRET=<secret>\n\n\
         # text; optional; used by web\n#LEVEL=info\n\n\
         # How mail is sent.\n# text; required; used by web\n# .env gives it; say it here when production differs\n\
         #MAILER=smtp\n"
    );
    assert!(started.document.contains("| `LEVEL` | text | no | `info` | web |  |"), "{}", started.document);
    assert!(
        started.document.contains("| `SESSION_SECRET` | secret | yes |  | web |  |"),
        "{}",
        started.document
    );
}

#[test]
fn what_is_filled_in_passes_and_what_is_left_in_does_not() {
    let case = Case::new(SHOP);
    let started = case.begin();
    let high = |project: &Project| -> Vec<String> {
        let findings = check(project);
        let high = findings.iter().filter(|finding| finding.severity >= Severity::High);
        high.map(|finding| finding.identity()).collect()
    };
    let filled = case.filled_in(&started);
    let left = high(&filled);
    assert!(
        left.iter().all(|one| one.starts_with("environment-file-in-image")),
        "{left:?}\n{}",
        started.overlay
    );
    let mut files = SHOP.to_vec();
    files.extend([(OVERLAY, started.overlay.as_str()), (".env.production", started.template.as_str())]);
    let untouched = load(&request(), &MemoryFiles::new(&files)).project.unwrap();
    let refused = high(&untouched).join(" ");
    for name in ["POSTGRES_PASSWORD", "PUBLIC_HOST", "SESSION_SECRET"] {
        assert!(refused.contains(name), "`{name}` is refused when it is left as in the template: {refused}");
    }
}

#[test]
fn a_second_time_only_adds() {
    let first = Case::new(SHOP).begin();
    let own = format!("# mine\n{}", first.overlay.replace("memory: 512M", "memory: 300M # measured"));
    let more = SHOP[0].1.replace(
        "  cache:",
        "  worker:\n    image: shop:1.4\n    environment:\n      QUEUE: ${QUEUE:?}\n  cache:",
    );
    let mut files = SHOP.to_vec();
    files[0].1 = &more;
    files.push((OVERLAY, &own));
    let document = format!(
        "{}\nMore about it.\n",
        first.document.replace("| `LEVEL` | text | no |", "| `LEVEL` | words | no |")
    );
    let case = Case { files, template: Some(&first.template), document: Some(&document) };
    let second = case.begin();
    for (old, new) in
        [(&own, &second.overlay), (&first.template, &second.template), (&document, &second.document)]
    {
        assert_ne!(old, new);
        let mut lines = new.lines();
        for line in old.lines() {
            assert!(lines.any(|other| other == line), "`{line}` stays where it was in\n{new}");
        }
    }
    assert!(
        second.overlay.contains("  worker:") && second.template.ends_with("QUEUE=<text>\n"),
        "{}",
        second.overlay
    );
    let rows: Vec<&str> = second.document.lines().filter(|line| line.starts_with("| `")).collect();
    assert!(rows.last().unwrap().starts_with("| `QUEUE` | text | yes |"), "{rows:?}");
    let mut files = case.files.clone();
    files.last_mut().unwrap().1 = &second.overlay;
    let third = Case { files, template: Some(&second.template), document: Some(&second.document) }.begin();
    assert_eq!(
        (third.overlay, third.template, third.document),
        (second.overlay, second.template, second.document)
    );
}

#[test]
fn what_somebody_took_away_is_not_asked_again() {
    let files = [
        (
            "compose.yaml",
            "services:\n  web:\n    build: .\n    env_file: web.env\n    ports: [\"80:8000\"]\n",
        ),
        ("web.env", "A=1\n"),
        ("requirements.txt", "Django==5\n"),
        ("Dockerfile", "FROM python:3.13-slim\nUSER 1000\n"),
    ];
    let first = Case::new(&files).begin();
    let asked = |text: &str| text.contains("ALLOWED_HOSTS") && text.contains("env_file");
    assert!(asked(&first.overlay), "{}", first.overlay);
    let settled: String =
        first.overlay.split_inclusive('\n').filter(|line| !line.starts_with("#   ")).collect();
    let mut files = files.to_vec();
    files.push((OVERLAY, &settled));
    let second = Case::new(&files).begin();
    assert!(!second.overlay.contains("ALLOWED_HOSTS"), "{}", second.overlay);
}

#[test]
fn a_variable_that_fills_a_credential_is_one() {
    let files = [
        (
            "compose.yaml",
            "services:\n  db:\n    image: postgres:17\n    environment:\n      POSTGRES_PASSWORD: ${POSTGRES_PW}\n  web:\n    image: shop:1.4\n    environment:\n      URL: redis://:${CACHE_PW}@cache\n",
        ),
        (".env", "POSTGRES_PW=hunter2secret\nCACHE_PW=hunter3secret\n"),
    ];
    let started = Case::new(&files).begin();
    assert_eq!(started.to_fill_in, ["CACHE_PW", "POSTGRES_PW"]);
    assert!(!format!("{started:?}").contains("hunter"), "{started:?}");
}

#[test]
fn projects_of_others_load_after_it_and_a_second_time_changes_nothing() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/awesome-compose");
    for folder in folders(&corpus) {
        let files = read_below(&folder, &folder);
        let borrowed: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let started = Case::new(&borrowed).begin();
        let after = Case::new(&borrowed).filled_in(&started);
        assert!(after.services().count() > 0, "{}", folder.display());
        let mut again = borrowed.clone();
        again.push((OVERLAY, &started.overlay));
        let second =
            Case { files: again, template: Some(&started.template), document: Some(&started.document) }
                .begin();
        assert_eq!(second.overlay, started.overlay, "{}", folder.display());
        assert_eq!(second.template, started.template, "{}", folder.display());
        assert_eq!(second.document, started.document, "{}", folder.display());
    }
}

/// The folders in a folder; none where the corpus is not there.
#[expect(clippy::disallowed_methods, reason = "the test reads projects of others where they are there")]
fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// The texts below a folder, by their path from `root`.
#[expect(clippy::disallowed_methods, reason = "the test reads projects of others where they are there")]
fn read_below(root: &Path, folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files.extend(read_below(root, &path));
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            files.push((path.strip_prefix(root).unwrap().display().to_string(), text));
        }
    }
    files
}
