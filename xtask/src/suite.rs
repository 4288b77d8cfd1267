//! `test`: every check in order, and a table of what ran, how long it took, and what did not run and why.

mod cargo_test;
mod engine;
mod failures;
mod fuzz;
mod on_docker;
mod systems;
mod table;

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use crate::caddy;
use crate::compose;
use crate::docs::{self, DocsArguments};
use crate::run::{self, RunError};
use crate::workspace::Workspace;
use cargo_test::cargo_test;
use table::{Outcome, Row};

/// A suite that takes this many times its budget hangs, and is killed.
const PATIENCE: u32 = 3;

/// Arguments of `test`.
#[derive(Debug, Clone, clap::Args)]
pub struct TestArguments {
    /// Runs this suite only; may be given several times
    #[arg(long = "suite", value_name = "NAME", value_parser = names())]
    pub suites: Vec<String>,

    /// What may be done for suites that need a Docker Engine
    #[arg(long, value_name = "WHAT", value_enum, default_value = "use")]
    pub docker: Docker,
}

/// What may be done for suites that need a Docker Engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Docker {
    /// Use one that runs
    Use,
    /// Install and start one where there is none
    Install,
}

/// A group of checks with one name.
struct Suite {
    name: &'static str,
    /// What it holds, in a few words.
    about: &'static str,
    /// How long it may take on two cores with nothing built yet, in seconds. More is reported, and a hint to act.
    budget_seconds: u64,
    work: Work,
}

enum Work {
    /// A program that fails when the suite fails.
    Program(&'static [&'static str]),
    /// A `cargo test`.
    Tests(&'static [&'static str]),
    /// Compares the reference pages with the program.
    Reference,
    /// Asks the real Docker Compose what it makes of projects.
    Compose,
    /// Has the gateway ask a real issuer for certificates.
    Issuer,
    /// Fuzzes each target for a while, where `cargo fuzz` is installed.
    Fuzz,
    /// Runs on a Docker Engine.
    Docker,
    /// Takes the examples to production on a Docker Engine.
    Systems,
}

const SUITES: [Suite; 10] = [
    Suite {
        name: "format",
        about: "one formatting for all code",
        budget_seconds: 30,
        work: Work::Program(&["cargo", "fmt", "--all", "--check"]),
    },
    Suite {
        name: "lint",
        about: "clippy, every warning an error",
        budget_seconds: 300,
        work: Work::Program(&[
            "cargo",
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]),
    },
    Suite {
        name: "build",
        about: "the program as users get it",
        budget_seconds: 300,
        work: Work::Program(&["cargo", "build", "--workspace", "--locked"]),
    },
    Suite {
        name: "tests",
        about: "all tests, the tidy ones among them",
        budget_seconds: 900,
        // All features: a test or program behind a feature would be left out without a word.
        work: Work::Tests(&["cargo", "test", "--workspace", "--all-features", "--locked", "--no-fail-fast"]),
    },
    Suite {
        name: "docs",
        about: "reference pages are what the program says",
        budget_seconds: 60,
        work: Work::Reference,
    },
    Suite {
        name: "compose",
        about: "the loader against the real Docker Compose",
        budget_seconds: 300,
        work: Work::Compose,
    },
    Suite {
        name: "issuer",
        about: "certificates from a real ACME server",
        budget_seconds: 120,
        work: Work::Issuer,
    },
    Suite {
        name: "fuzz",
        about: "seeds and findings again, then new inputs",
        // Seven targets of 15 s each, and building them, optimised, with all of the gateway below.
        budget_seconds: 700,
        work: Work::Fuzz,
    },
    Suite { name: "docker", about: "on a real Docker Engine", budget_seconds: 900, work: Work::Docker },
    Suite {
        name: "systems",
        about: "the examples, from development to production",
        // With the images and packages there; making them all takes some minutes more.
        budget_seconds: 900,
        work: Work::Systems,
    },
];

fn names() -> Vec<&'static str> {
    SUITES.iter().map(|suite| suite.name).collect()
}

/// Runs the suites and prints the table. `false` when one failed.
///
/// # Errors
/// When a person interrupts it, or the table cannot be printed.
pub fn test(
    workspace: &Workspace,
    arguments: &TestArguments,
    output: &mut dyn Write,
) -> Result<bool, Box<dyn Error>> {
    let chosen = |suite: &&Suite| {
        arguments.suites.is_empty() || arguments.suites.iter().any(|name| name == suite.name)
    };
    let mut rows = Vec::new();
    for suite in SUITES.iter().filter(chosen) {
        writeln!(output, "\n== {}: {}", suite.name, suite.about)?;
        output.flush()?;
        let row = one(workspace, suite, arguments.docker, output)?;
        writeln!(output, "== {}: {}", suite.name, row.outcome)?;
        rows.push(row);
    }
    write!(output, "\n{}", table::table(&rows))?;
    Ok(rows.iter().all(|row| !matches!(row.outcome, Outcome::Failed { .. })))
}

fn one(
    workspace: &Workspace,
    suite: &Suite,
    docker: Docker,
    output: &mut dyn Write,
) -> Result<Row, Box<dyn Error>> {
    let limit = Duration::from_secs(suite.budget_seconds) * PATIENCE;
    let begun = tokio::time::Instant::now();
    let outcome = match &suite.work {
        Work::Compose => against_compose(workspace, docker, limit, output)?,
        Work::Issuer => with_issuer(workspace, docker, limit, output)?,
        Work::Docker => on_docker::on_docker(workspace, docker, limit, output)?,
        Work::Systems => systems::systems(workspace, docker, limit, output)?,
        Work::Fuzz => fuzz::fuzz(workspace, limit, output)?,
        Work::Program(words) => program(workspace, words, limit, output)?,
        Work::Tests(words) => cargo_test(workspace, words, limit, output)?,
        Work::Reference if !workspace.root().join(docs::REFERENCE).is_dir() => {
            Outcome::Skipped(format!("there is no `{}`: no page was generated yet", docs::REFERENCE))
        }
        Work::Reference => match docs::docs(workspace, &DocsArguments { check: true }, output) {
            Ok(true) => Outcome::Passed,
            Ok(false) => Outcome::failed("a page is out of date"),
            Err(error) => Outcome::failed(error.to_string()),
        },
    };
    let budget = Duration::from_secs(suite.budget_seconds);
    Ok(Row { name: suite.name, outcome, took: begun.elapsed(), budget })
}

fn program(
    workspace: &Workspace,
    words: &[&str],
    limit: Duration,
    output: &mut dyn Write,
) -> Result<Outcome, Box<dyn Error>> {
    writeln!(output, "$ {}", words.join(" "))?;
    output.flush()?;
    Ok(match run::run(workspace.root(), words, limit) {
        Ok(ran) if ran.status.success() => Outcome::Passed,
        Ok(ran) => Outcome::failed(ran.status.to_string()),
        Err(error @ RunError::Interrupted { .. }) => return Err(error.into()),
        Err(error) => Outcome::failed(error.to_string()),
    })
}

/// Asks the real Docker Compose again what its answers were, when it is there or may be fetched.
fn against_compose(
    workspace: &Workspace,
    docker: Docker,
    limit: Duration,
    output: &mut dyn Write,
) -> Result<Outcome, Box<dyn Error>> {
    let real = match compose::COMPOSE.program(workspace, docker == Docker::Install, output) {
        Ok(real) => real,
        Err(error) if interrupted(&*error) => return Err(error),
        Err(error) => return Ok(Outcome::Skipped(error.to_string())),
    };
    let variable = format!("SEAWORTHY_COMPOSE={}", real.display());
    let words =
        ["env", &variable, "cargo", "test", "--package", "seaworthy", "--test", "differential", "--locked"];
    cargo_test(workspace, &words, limit, output)
}

/// Has the gateway ask Caddy for certificates, when it is there or may be fetched.
fn with_issuer(
    workspace: &Workspace,
    docker: Docker,
    limit: Duration,
    output: &mut dyn Write,
) -> Result<Outcome, Box<dyn Error>> {
    let caddy = match caddy::CADDY.program(workspace, docker == Docker::Install, output) {
        Ok(caddy) => caddy,
        Err(error) if interrupted(&*error) => return Err(error),
        Err(error) => return Ok(Outcome::Skipped(error.to_string())),
    };
    // Issuers look at port 80.
    if let Err(error) = std::net::TcpListener::bind(("127.64.0.1", 80)) {
        return Ok(Outcome::Skipped(format!("nothing may listen on port 80 of loopback here: {error}")));
    }
    let variable = format!("SEAWORTHY_CADDY={}", caddy.display());
    let words =
        ["env", &variable, "cargo", "test", "--package", "seaworthy-gateway", "--test", "issuer", "--locked"];
    cargo_test(workspace, &words, limit, output)
}

fn interrupted(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<RunError>().is_some_and(|error| matches!(error, RunError::Interrupted { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_have_names_of_their_own() {
        let mut names = names();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SUITES.len());
    }

    #[test]
    fn a_failing_program_fails_its_suite() {
        let suite = Suite { name: "x", about: "x", budget_seconds: 30, work: Work::Program(&["false"]) };
        let row = one(&Workspace::here().unwrap(), &suite, Docker::Use, &mut Vec::new()).unwrap();
        assert!(matches!(row.outcome, Outcome::Failed { .. }), "{}", row.outcome);
    }
}
