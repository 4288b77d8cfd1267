//! The suite `systems`: the examples from development to production, on the engine, with the images they name.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use super::cargo_test::cargo_test;
use super::table::Outcome;
use super::{Docker, engine, interrupted, program};
use crate::compose;
use crate::workspace::Workspace;

/// What the examples are made of.
const IMAGES: [&str; 5] = ["python:3.13-slim", "node:20-slim", "postgres:17", "redis:8", "nginx:1.26"];

const LINT: [&str; 10] =
    ["cargo", "clippy", "--package", "seaworthy", "--test", "systems", "--locked", "--", "-D", "warnings"];
const TESTS: [&str; 7] = ["cargo", "test", "--package", "seaworthy", "--test", "systems", "--locked"];

/// Where there is no Docker Compose, what needs it is left out and named.
pub(super) fn systems(
    workspace: &Workspace,
    docker: Docker,
    limit: Duration,
    output: &mut dyn Write,
) -> Result<Outcome, Box<dyn Error>> {
    let _daemon = match engine::ready(workspace, docker, &IMAGES, output)? {
        Ok(daemon) => daemon,
        Err(why) => return Ok(Outcome::Skipped(why)),
    };
    match program(workspace, &LINT, limit, output)? {
        Outcome::Passed => {}
        other => return Ok(other),
    }
    match compose::COMPOSE.program(workspace, docker == Docker::Install, output) {
        Ok(real) => {
            let variable = format!("SEAWORTHY_COMPOSE={}", real.display());
            cargo_test(workspace, &[&["env", &variable], TESTS.as_slice()].concat(), limit, output)
        }
        Err(error) if interrupted(&*error) => Err(error),
        Err(error) => {
            let rest = [TESTS.as_slice(), &["--", "--skip", "development"]].concat();
            match cargo_test(workspace, &rest, limit, output)? {
                Outcome::Passed => Ok(Outcome::Skipped(format!("development: {error}; production holds"))),
                other => Ok(other),
            }
        }
    }
}
