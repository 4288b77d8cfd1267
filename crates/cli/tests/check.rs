//! `check` over one project and over many, and the gate that it is before a deploy.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "code of tests")]

#[path = "support/site.rs"]
mod site;

use std::path::Path;
use std::process::{Command, Stdio};

use site::{Ran, Site};

/// A folder of Compose files.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::Builder::new().prefix("seaworthy-check-").tempdir().unwrap());
        files.iter().for_each(|(path, text)| folder.write(path, text));
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seaworthy"));
        command.args(arguments).current_dir(self.path()).env_clear().stdin(Stdio::null());
        Ran::of(command.output().unwrap())
    }

    #[track_caller]
    fn ends(&self, code: i32, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}\n{}", ran.all());
        ran
    }
}

const GOOD: &str = "services:\n  web:\n    image: shop:1.4\n";
const BAD: &str = "services:\n  web:\n    image: shop:1.4\n    privileged: true\n";
const BROKEN: &str = "services:\n  web: [\n";

#[test]
fn a_broken_file_never_stops_the_others_and_is_not_forgotten() {
    let folder = Folder::new(&[
        ("a/compose.yaml", GOOD),
        ("b/docker-compose.yml", BAD),
        ("b/inner/compose.yml", GOOD),
        ("c/compose.yaml", BROKEN),
        ("node_modules/x/compose.yaml", BROKEN),
        (".git/compose.yaml", BROKEN),
        ("notes/readme.yaml", "a: 1\n"),
    ]);
    let ran = folder.ends(2, &["check", "."]);
    assert!(
        ran.stdout.contains("=== b ===") && ran.stdout.contains("b/docker-compose.yml:4:17"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("not checked: c: ") && ran.stderr.contains("c/compose.yaml:"),
        "{}",
        ran.all()
    );
    assert!(ran.stdout.trim_end().ends_with("1 could not be checked."), "{}", ran.stdout);
    assert!(ran.stdout.contains("3 projects checked: 1 critical"), "{}", ran.stdout);
    folder.ends(1, &["check", "a", "b"]);
    folder.ends(0, &["check", "a", "b/inner/compose.yml"]);
    let nothing = folder.ends(2, &["check", "a", "notes"]);
    assert!(nothing.stderr.contains("no Compose file in `notes`"), "{}", nothing.stderr);
    assert!(folder.ends(2, &["check", "missing"]).stderr.contains("missing"));
    let both = folder.ends(2, &["-f", "a/compose.yaml", "check", "b"]);
    assert!(both.stderr.contains("cannot be together"), "{}", both.stderr);
}

#[test]
fn machines_are_told_what_could_not_be_checked() {
    let folder = Folder::new(&[("a/compose.yaml", BAD), ("c/compose.yaml", BROKEN)]);
    let parts = [
        ("json", "\"unchecked\": 1"),
        ("sarif", "\"executionSuccessful\": false"),
        ("junit", "<error "),
        ("github", "title=not checked"),
        ("codeclimate", "not-checked"),
        ("markdown", "**Not checked: c**"),
        ("html", "Not checked: c"),
    ];
    for (format, part) in parts {
        let ran = folder.ends(2, &["check", "--format", format, "a", "c"]);
        assert!(
            ran.stdout.contains(part) && ran.stdout.contains("a/compose.yaml"),
            "{format}:\n{}",
            ran.stdout
        );
    }
    let single = Folder::new(&[("compose.yaml", BROKEN)]);
    assert!(single.ends(2, &["check"]).stdout.is_empty());
    let sarif = single.ends(2, &["check", "--format", "sarif"]);
    let value: serde_json::Value = serde_json::from_str(&sarif.stdout).unwrap();
    assert_eq!(value["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn a_report_goes_to_a_file() {
    let folder = Folder::new(&[("compose.yaml", BAD)]);
    let ran = folder.ends(1, &["check", "--format", "html", "--output", "report.html"]);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("`report.html`"), "{}", ran.all());
    assert!(folder.read("report.html").starts_with("<!doctype html>"));
    let ran = folder.ends(2, &["check", "--output", "no/such/report.txt"]);
    assert!(ran.stderr.contains("could not write `no/such/report.txt`"), "{}", ran.stderr);
    assert!(folder.ends(2, &["check", "--by", "cis", "--format", "json"]).stderr.contains("--format text"));
    assert!(folder.ends(1, &["check", "--by", "cis"]).stdout.contains("5.5   failed"));
}

#[test]
fn a_baseline_lets_only_new_findings_fail() {
    let folder = Folder::new(&[("a/compose.yaml", BAD), ("b/compose.yaml", GOOD)]);
    folder.ends(0, &["check", "--write-baseline", "known.json", "."]);
    folder.ends(0, &["check", "--baseline", "known.json", "."]);
    folder.write("b/compose.yaml", BAD);
    let ran = folder.ends(1, &["check", "--baseline", "known.json", "."]);
    assert!(ran.stdout.contains("2 projects checked: 1 critical."), "{}", ran.stdout);
    let ran = folder.ends(2, &["check", "--baseline", "other.json"]);
    assert!(
        ran.stderr.contains("could not read `other.json`") && ran.stderr.contains("--write-baseline"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_policy_above_counts_below_and_can_be_named() {
    let policy = "waivers:\n  - rule: privileged\n    reason: a builder\n    until: 2999-12-31\n";
    let folder = Folder::new(&[("a/compose.yaml", BAD), ("seaworthy.policy.yaml", policy)]);
    let ran = folder.ends(0, &["check", "a"]);
    assert!(
        ran.stdout.contains("waived: critical privileged") && ran.stdout.contains("until 2999-12-31"),
        "{}",
        ran.stdout
    );
    folder.write("strict.yaml", "severity: { missing-limits: critical }\n");
    folder.ends(1, &["check", "--policy", "strict.yaml", "a"]);
    folder.write("a/seaworthy.policy.yaml", "waivers:\n  - rule: privileged\n");
    let ran = folder.ends(2, &["check", "a"]);
    assert!(
        ran.stderr.contains("a/seaworthy.policy.yaml:2:") && ran.stderr.contains("gives no reason"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains("critical[privileged]"), "what was found is told: {}", ran.stdout);
    assert!(ran.stdout.contains("not checked: waivers and policy of a: "), "{}", ran.stdout);
    let machine = folder.ends(2, &["check", "--format", "json", "a"]).stdout;
    let machine: serde_json::Value = serde_json::from_str(&machine).unwrap();
    assert_eq!(machine["summary"]["unchecked"], 1);
    assert!(machine["findings"].as_array().unwrap().iter().any(|finding| finding["rule"] == "privileged"));
    let harden = folder.ends(2, &["--project-directory", "a", "harden", "--dry-run"]);
    assert!(harden.stderr.contains("gives no reason") && harden.stdout.is_empty(), "{}", harden.all());
    assert!(
        folder
            .ends(2, &["check", "--policy", "gone.yaml", "a"])
            .stderr
            .contains("could not read `gone.yaml`")
    );
    folder.write("a/seaworthy.policy.yaml", "fail_on: never\n");
    folder.ends(0, &["check", "a"]);
    folder.ends(1, &["check", "--fail-on", "high", "a"]);
}

#[test]
fn hardening_leaves_what_is_waived() {
    let waived = "services:\n  # seaworthy:ignore missing-limits it has the machine for itself\n  # seaworthy:ignore missing-hardening/pids it forks as it likes\n  web:\n    image: shop:1.4\n";
    let folder = Folder::new(&[("compose.yaml", waived)]);
    let ran = folder.ends(0, &["harden"]);
    let overlay = folder.read("compose.production.yaml");
    assert!(
        overlay.contains("restart:") && !overlay.contains("memory") && !overlay.contains("pids"),
        "{overlay}"
    );
    assert!(!ran.stderr.contains("may take all memory"), "{}", ran.stderr);
}

#[test]
fn dockerfiles_are_mended_as_far_as_asked_and_only_once() {
    let dockerfile = "FROM node:22-slim\r\n# the program\r\nADD index.js /app/\r\nEXPOSE 8000\r\nCMD node /app/index.js\r\n";
    let compose = "services:\n  web:\n    build: .\n";
    let folder = Folder::new(&[("compose.yaml", compose), ("Dockerfile", dockerfile)]);
    let shown = folder.ends(0, &["harden", "--dry-run"]);
    assert!(shown.stdout.contains("+COPY index.js /app/") && folder.read("Dockerfile") == dockerfile);
    let fixed = folder.run(&["check", "--fix"]);
    let safe = dockerfile
        .replace("ADD", "COPY")
        .replace("CMD node /app/index.js", "CMD [\"node\", \"/app/index.js\"]");
    assert_eq!(folder.read("Dockerfile"), safe, "{}", fixed.all());
    assert!(fixed.stderr.contains("`Dockerfile` was changed.") && !fixed.stderr.contains("for a person"));
    assert!(!fixed.stdout.contains("add-for-copy"), "{}", fixed.stdout);
    let further = folder.ends(0, &["harden"]);
    assert!(folder.read("Dockerfile").contains("/app/\r\nUSER 1000\r\n"), "{}", further.all());
    let once = (folder.read("Dockerfile"), folder.read("compose.production.yaml"));
    let again = folder.ends(0, &["harden"]);
    assert_eq!((folder.read("Dockerfile"), folder.read("compose.production.yaml")), once, "{}", again.all());
    for wrong in
        [&["harden", "--safe", "--all"][..], &["harden", "--safe", "--prove"], &["check", "--fix", "a"]]
    {
        assert!(folder.ends(2, wrong).stderr.contains("cannot be used with"), "{wrong:?}");
    }
    assert_eq!(folder.read("compose.yaml"), compose);
}

#[test]
fn pinning_without_an_engine_says_so_once_and_changes_nothing() {
    let folder = Folder::new(&[("compose.yaml", "services:\n  a:\n    image: x:1\n  b:\n    image: y:1\n")]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_seaworthy"));
    command.args(["harden", "--pin"]).current_dir(folder.path()).env_clear().stdin(Stdio::null());
    let nowhere = format!("unix://{}/no.sock", folder.path().display());
    let ran = Ran::of(command.env("DOCKER_HOST", nowhere).output().unwrap());
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(ran.stderr.matches("error:").count() == 1 && ran.stderr.contains("no.sock"), "{}", ran.stderr);
    assert!(!folder.path().join("compose.production.yaml").exists());
    assert!(folder.ends(2, &["harden", "--pin", "--safe"]).stderr.contains("cannot be used with"));
}

#[test]
fn a_rule_is_explained_by_its_name_and_a_near_one_suggested() {
    let folder = Folder::new(&[]);
    for name in ["missing-hardening", "missing-hardening/read_only", "Missing-Hardening"] {
        assert!(folder.ends(0, &["explain", name]).stdout.starts_with("# missing-hardening"), "{name}");
    }
    assert!(folder.ends(0, &["explain"]).stdout.contains("disagreeing-credentials"));
    assert!(folder.ends(2, &["explain", "missing-limit"]).stderr.contains("did you mean `missing-limits`?"));
    assert!(folder.ends(2, &["explain", "zzz"]).stderr.contains("lists them all"));
}

/// Makes `web` something that must not be deployed.
fn unfit(site: &Site) -> String {
    site.compose(1)
        .replace("    image: shop:1\n    ports", "    image: shop:1\n    cap_add: [SYS_ADMIN]\n    ports")
}

#[test]
fn what_is_not_fit_is_not_deployed() {
    let site = Site::new();
    site.write("compose.yaml", &unfit(&site));
    let ran = site.run(&["deploy", "-y"]);
    assert_eq!(ran.code, 1, "{}", ran.all());
    assert!(
        ran.stderr.contains("dangerous-capability") && ran.stderr.contains("nothing was changed"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("hint:") && ran.stdout.is_empty(), "{}", ran.all());
    assert!(!site.state().exists() && site.processes().is_empty(), "nothing was begun");

    let ran = site.done(&["-e", "development", "deploy", "-y"]);
    assert!(ran.stderr.contains("warning: 1 finding is high or worse"), "{}", ran.stderr);
    site.done(&["-e", "development", "down", "-y"]);
    assert_eq!(site.run(&["-e", "development", "deploy", "-y", "--fail-on", "high"]).code, 1);

    site.done(&["deploy", "-y", "--fail-on", "never"]);
    // What runs already is operated whatever is found.
    site.done(&["scale", "web=2", "-y"]);
    site.done(&["restart", "web", "-y"]);
    site.done(&["down", "-y"]);
}

#[test]
fn a_waiver_opens_the_gate() {
    let site = Site::new();
    let waiver = "    # seaworthy:ignore dangerous-capability the sample mounts nothing\n    cap_add";
    site.write("compose.yaml", &unfit(&site).replace("    cap_add", waiver));
    site.done(&["deploy", "-y"]);
    let expired = waiver.replace("nothing", "nothing until=2020-01-01");
    site.write("compose.yaml", &unfit(&site).replace("    cap_add", &expired));
    let ran = site.run(&["deploy", "-y"]);
    assert_eq!(ran.code, 1, "{}", ran.all());
    assert!(ran.stderr.contains("its waiver ended on 2020-01-01"), "{}", ran.stderr);
    site.write(
        "compose.yaml",
        &unfit(&site).replace("    cap_add", "    # seaworthy:ignore dangerous-capability\n    cap_add"),
    );
    let ran = site.run(&["deploy", "-y"]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(
        ran.stderr.contains("compose.yaml:5:5") && ran.stderr.contains("gives no reason"),
        "{}",
        ran.stderr
    );
}
