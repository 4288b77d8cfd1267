//! `test`: every check in order, and a table of what ran, how long it took, and what did not run and why.

mod fuzz;
mod table;

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use crate::docs::{self, DocsArguments};
use crate::run::{self, RunError};
use crate::workspace::Workspace;
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

impl Docker {
    /// Why nothing was done, while no suite needs a Docker Engine.
    fn without_suites(self) -> &'static str {
        match self {
            Self::Use => "no suite needs a Docker Engine yet",
            Self::Install => "no suite needs a Docker Engine yet; nothing was installed",
        }
    }
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
    /// Compares the reference pages with the program.
    Reference,
    /// Fuzzes each target for a while, where `cargo fuzz` is installed.
    Fuzz,
    /// Runs on a Docker Engine; none does so far.
    Docker,
}

const SUITES: [Suite; 7] = [
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
        work: Work::Program(&[
            "cargo",
            "test",
            "--workspace",
            "--all-features",
            "--locked",
            "--no-fail-fast",
        ]),
    },
    Suite {
        name: "docs",
        about: "reference pages are what the program says",
        budget_seconds: 60,
        work: Work::Reference,
    },
    Suite {
        name: "fuzz",
        about: "seeds and findings again, then new inputs",
        // Four targets of 20 s each, and building them.
        budget_seconds: 400,
        work: Work::Fuzz,
    },
    Suite { name: "docker", about: "on a real Docker Engine", budget_seconds: 600, work: Work::Docker },
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
    Ok(rows.iter().all(|row| !matches!(row.outcome, Outcome::Failed(_))))
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
        Work::Docker => Outcome::Skipped(docker.without_suites().to_owned()),
        Work::Fuzz => fuzz::fuzz(workspace, limit, output)?,
        Work::Program(program) => {
            writeln!(output, "$ {}", program.join(" "))?;
            output.flush()?;
            match run::run(workspace.root(), program, limit) {
                Ok(ran) if ran.status.success() => Outcome::Passed,
                Ok(ran) => Outcome::Failed(ran.status.to_string()),
                Err(error @ RunError::Interrupted { .. }) => return Err(error.into()),
                Err(error) => Outcome::Failed(error.to_string()),
            }
        }
        Work::Reference if !workspace.root().join(docs::REFERENCE).is_dir() => {
            Outcome::Skipped(format!("there is no `{}`: no page was generated yet", docs::REFERENCE))
        }
        Work::Reference => match docs::docs(workspace, &DocsArguments { check: true }, output) {
            Ok(true) => Outcome::Passed,
            Ok(false) => Outcome::Failed("a page is out of date".to_owned()),
            Err(error) => Outcome::Failed(error.to_string()),
        },
    };
    let budget = Duration::from_secs(suite.budget_seconds);
    Ok(Row { name: suite.name, outcome, took: begun.elapsed(), budget })
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
    fn a_suite_with_nothing_to_run_is_skipped_and_never_passed() {
        let arguments = TestArguments { suites: vec!["docker".to_owned()], docker: Docker::Install };
        let mut output = Vec::new();
        assert!(test(&Workspace::here().unwrap(), &arguments, &mut output).unwrap());
        let output = String::from_utf8(output).unwrap();
        assert!(output.contains("nothing was installed") && !output.contains("passed "), "{output}");
        assert!(output.contains("0 passed, 0 failed, 1 skipped"), "{output}");
    }

    #[test]
    fn a_failing_program_fails_its_suite() {
        let suite = Suite { name: "x", about: "x", budget_seconds: 30, work: Work::Program(&["false"]) };
        let row = one(&Workspace::here().unwrap(), &suite, Docker::Use, &mut Vec::new()).unwrap();
        assert!(matches!(row.outcome, Outcome::Failed(_)), "{}", row.outcome);
    }
}
