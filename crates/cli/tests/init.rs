//! `init` as a user meets it: what it writes, what it refuses, and that it changes no word.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "code of tests")]

#[path = "support/site.rs"]
mod site;

use std::path::Path;
use std::process::{Command, Stdio};

use site::Ran;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::Builder::new().prefix("seaworthy-init-").tempdir().unwrap());
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).unwrap()
    }

    fn has(&self, path: &str) -> bool {
        self.path().join(path).exists()
    }

    #[track_caller]
    fn ends(&self, code: i32, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seaworthy"));
        command.args(arguments).current_dir(self.path()).env_clear().stdin(Stdio::null());
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(ran.code, code, "{arguments:?}\n{}", ran.all());
        ran
    }
}

const SHOP: &str = "services:\n  web:\n    image: shop:1.4\n    ports: [\"8000:8000\"]\n    environment:\n      \
                    API_TOKEN: q8Zk-2vNw-77Lp\n      LEVEL: ${LEVEL:-info}\n";

#[test]
fn a_dry_run_shows_what_the_real_one_writes() {
    let folder = Folder::new(&[("compose.yaml", SHOP)]);
    let dry = folder.ends(0, &["init", "--dry-run"]);
    assert!(!folder.has("compose.production.yaml") && !folder.has("docs"));
    let ran = folder.ends(0, &["init"]);
    for path in ["compose.production.yaml", ".env.production.template", "docs/environment.md"] {
        assert!(dry.stdout.contains(&format!("+++ b/{path}")), "{}", dry.all());
        for line in folder.read(path).lines().filter(|line| !line.is_empty()) {
            assert!(dry.stdout.contains(&format!("\n+{line}\n")), "`{line}` of {path} was shown");
        }
    }
    assert!(ran.stderr.contains("API_TOKEN") && !ran.all().contains("q8Zk"), "{}", ran.all());
    let before = folder.read("compose.production.yaml");
    let again = folder.ends(0, &["init"]);
    assert_eq!(again.stderr.matches("needs no change").count(), 3, "{}", again.all());
    assert_eq!(folder.read("compose.production.yaml"), before);
    std::fs::write(folder.path().join(".env.production"), "API_TOKEN=vT4mm2LwQ9vT\n").unwrap();
    folder.ends(0, &["check", "--fail-on", "high"]);
}

#[test]
fn several_files_and_other_environments_have_their_own_overlay() {
    let files =
        [("base.yaml", SHOP), ("more.yaml", "services: { web: { environment: { MORE: \"${MORE:?}\" } } }\n")];
    let folder = Folder::new(&files);
    let ran = folder.ends(0, &["-e", "staging", "-f", "base.yaml", "-f", "more.yaml", "init"]);
    let flags = "-f base.yaml -f more.yaml -f compose.staging.yaml";
    assert!(ran.stderr.contains(&format!("seaworthy {flags} -e staging check")), "{}", ran.all());
    assert!(folder.read(".env.staging.template").contains("MORE=<text>"), "{}", ran.all());
    assert_eq!(
        (folder.read("base.yaml"), folder.read("more.yaml")),
        (files[0].1.to_owned(), files[1].1.to_owned())
    );
    let again = folder.ends(
        0,
        &["-e", "staging", "-f", "base.yaml", "-f", "more.yaml", "-f", "compose.staging.yaml", "init"],
    );
    assert_eq!(again.stderr.matches("needs no change").count(), 3, "{}", again.all());
    std::fs::write(folder.path().join(".env.staging"), "API_TOKEN=vT4mm2LwQ9vT\nMORE=x\n").unwrap();
    let mut words: Vec<&str> = flags.split(' ').collect();
    words.extend(["-e", "staging", "check"]);
    folder.ends(0, &words);
}

#[test]
fn nothing_to_begin_with_is_told_with_what_is_near() {
    let empty = Folder::new(&[("Dockerfile", "FROM scratch\n")]).ends(2, &["init"]);
    assert!(
        empty.stderr.contains("there is no Compose file in") && empty.stderr.contains("build: ."),
        "{}",
        empty.all()
    );
    let below = Folder::new(&[("deploy/compose.yaml", SHOP)]).ends(2, &["init"]);
    assert!(below.stderr.contains("there is one in `deploy`"), "{}", below.all());
    let broken = Folder::new(&[("compose.yaml", "services: [\n")]);
    assert!(broken.ends(2, &["init"]).stderr.contains("compose.yaml:"), "the place is told");
    assert!(!broken.has("compose.production.yaml") && !broken.has("docs"));
    let development = Folder::new(&[("compose.yaml", SHOP)]).ends(2, &["-e", "development", "init"]);
    assert!(development.stderr.contains("hint:"), "{}", development.all());
}
