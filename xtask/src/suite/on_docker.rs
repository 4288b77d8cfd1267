//! The suite `docker`: what needs a Docker Engine, with its lints.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use super::cargo_test::cargo_test;
use super::table::Outcome;
use super::{Docker, engine, program};
use crate::workspace::Workspace;

/// Plain `cargo clippy` leaves these out, as plain `cargo test` does.
const LINTS: [&[&str]; 2] = [
    &[
        "cargo",
        "clippy",
        "--package",
        "seaworthy-engine",
        "--test",
        "docker",
        "--all-features",
        "--locked",
        "--",
        "-D",
        "warnings",
    ],
    &["cargo", "clippy", "--package", "seaworthy", "--test", "docker", "--locked", "--", "-D", "warnings"],
];

/// What needs a Docker Engine. Plain `cargo test` leaves these out, so that they are never taken for passed.
const TESTS: [&[&str]; 2] = [
    &["cargo", "test", "--package", "seaworthy-engine", "--test", "docker", "--all-features", "--locked"],
    &["cargo", "test", "--package", "seaworthy", "--test", "docker", "--locked"],
];

/// What the tests on the engine run beside images of their own.
const IMAGES: [&str; 6] =
    ["debian:trixie-slim", "postgres:17", "redis:8", "nginx:1.26", "python:3.13-slim", "node:20-slim"];

/// Runs what needs a Docker Engine, when one answers or may be installed; else says why it was skipped.
pub(super) fn on_docker(
    workspace: &Workspace,
    docker: Docker,
    limit: Duration,
    output: &mut dyn Write,
) -> Result<Outcome, Box<dyn Error>> {
    let _daemon = match engine::ready(workspace, docker, &IMAGES, output)? {
        Ok(daemon) => daemon,
        Err(why) => return Ok(Outcome::Skipped(why)),
    };
    for words in LINTS {
        match program(workspace, words, limit, output)? {
            Outcome::Passed => {}
            other => return Ok(other),
        }
    }
    let mut unsteady = Vec::new();
    for words in TESTS {
        match cargo_test(workspace, words, limit, output)? {
            Outcome::Passed => {}
            Outcome::Unsteady(tests) => unsteady.extend(tests),
            other => return Ok(other),
        }
    }
    Ok(if unsteady.is_empty() { Outcome::Passed } else { Outcome::Unsteady(unsteady) })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test reads manifests")]
mod tests {
    use super::*;

    #[test]
    fn what_needs_an_engine_is_run_by_this_suite_alone() {
        for words in LINTS.into_iter().chain(TESTS) {
            let target = words.iter().position(|word| *word == "--test").map(|at| words[at + 1]);
            let package = words.iter().position(|word| *word == "--package").map(|at| words[at + 1]).unwrap();
            assert_eq!(target, Some("docker"), "{words:?}");
            let folder = package.strip_prefix("seaworthy-").unwrap_or("cli");
            let manifest = Workspace::here().unwrap().root().join("crates").join(folder).join("Cargo.toml");
            let manifest: toml::Table = std::fs::read_to_string(manifest).unwrap().parse().unwrap();
            let tests = manifest["test"].as_array().unwrap();
            assert!(
                tests
                    .iter()
                    .any(|test| test["name"].as_str() == Some("docker")
                        && test["test"].as_bool() == Some(false))
            );
        }
    }
}
