//! Seeded samples: projects with listed defects, and their hardened twins without any.
#![expect(clippy::disallowed_methods, reason = "the test reads its sample from the folder beside it")]

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use seaworthy_audit::{check, report};
use seaworthy_project::Project;
use seaworthy_project::fixture::{MemoryFiles, problems, request};

/// Of a hundred defects, how many must be found at least.
const LEAST_FOUND: usize = 95;

/// How many defects of each kind of file are listed at least.
const LEAST_LISTED: [(&str, usize); 3] = [("compose", 60), ("Dockerfile", 40), ("env", 15)];

#[test]
fn the_listed_defects_are_found() {
    let mut seeds = Vec::new();
    let mut missed = Vec::new();
    for name in ["defects", "shop"] {
        let project = load(name).unwrap();
        let findings = check(&project);
        let found: BTreeSet<String> = findings
            .iter()
            .map(|finding| {
                let source = project.sources.get(finding.span.file);
                let path = source.map(|source| source.path.display().to_string()).unwrap_or_default();
                format!("{path}:{} {}", finding.span.start.line, finding.rule.id)
            })
            .collect();
        let list = std::fs::read_to_string(folder().join(format!("{name}.txt"))).unwrap();
        seeds.extend(list.lines().map(str::to_owned));
        missed
            .extend(list.lines().filter(|seed| !found.contains(*seed)).map(|seed| format!("{name}: {seed}")));
    }
    for (kind, least) in LEAST_LISTED {
        let of = |seed: &&String| seed.split(':').next().is_some_and(|path| path.contains(kind));
        let listed = seeds.iter().filter(of).count();
        assert!(listed >= least, "{listed} defects of {kind} files are listed");
    }
    let enough = (seeds.len() - missed.len()) * 100 >= seeds.len() * LEAST_FOUND;
    assert!(enough, "missed {} of {}:\n{}", missed.len(), seeds.len(), missed.join("\n"));
}

#[test]
fn nothing_is_found_in_the_hardened_twins() {
    for name in ["hardened", "shop-hardened"] {
        let project = load(name).unwrap();
        let findings = check(&project);
        assert!(findings.is_empty(), "{name}: {}", report::text(&findings, &project, false));
    }
}

#[test]
fn the_report_shows_no_credential_of_the_sample() {
    let project = load("defects").unwrap();
    let findings = check(&project);
    for text in [report::text(&findings, &project, false), report::json(&findings, &project)] {
        for secret in
            ["q8Zk2vNw77Lp", "letmein", "AKIAA1B2C3D4E5F6G7H8", "vT4$mm2Lw", "sk_live_0000", "app:app@"]
        {
            let at = text.find(secret);
            assert!(at.is_none(), "{secret}: {}", &text[at.unwrap_or(0).saturating_sub(200)..]);
        }
    }
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds")
}

/// Loads a sample, as if it lay in a Git repository.
fn load(name: &str) -> io::Result<Project> {
    let root = folder().join(name);
    let mut files = vec![(".git/HEAD".to_owned(), "ref: refs/heads/main\n".to_owned())];
    collect(&root, &root, &mut files)?;
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let loaded = seaworthy_project::load(&request(), &MemoryFiles::new(&files));
    let shown = problems(&loaded);
    assert!(loaded.project.is_some(), "{shown:?}");
    Ok(loaded.project.expect("it has just been asserted"))
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            files.push((name, std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}
