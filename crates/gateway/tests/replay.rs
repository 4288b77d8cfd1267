//! The seeds of the fuzz targets, and what fuzzing found once: each input again, through the same functions.

#![expect(clippy::disallowed_methods, reason = "these tests read the inputs that lie in the repository")]

use std::fs;
use std::path::{Path, PathBuf};

use seaworthy_gateway::properties::TARGETS;

fn inputs(kind: &str, target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(kind).join(target);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

#[test]
fn every_seed_and_finding_holds() {
    let mut broken = Vec::new();
    for (target, body) in TARGETS {
        let seeds = inputs("seeds", target);
        assert!(seeds.len() > 10, "`fuzz/seeds/{target}` has {} seeds", seeds.len());
        for input in seeds.into_iter().chain(inputs("findings", target)) {
            let bytes = fs::read(&input).expect("it was just listed");
            if std::panic::catch_unwind(|| body(&bytes)).is_err() {
                broken.push(format!("{target}: {}", input.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
