//! Runs `cargo test`; the few tests that fail run once more alone, and what then passes is told as unsteady, never as passed.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use super::failures::{FailedTest, Failures};
use super::table::Outcome;
use crate::run::{self, Ran, RunError};
use crate::workspace::Workspace;

/// With more failures than these something is broken, and a second try would only take time.
const FEW: usize = 3;

/// Runs `words`, which are a `cargo test`.
pub(super) fn cargo_test(
    workspace: &Workspace,
    words: &[&str],
    limit: Duration,
    output: &mut dyn Write,
) -> Result<Outcome, Box<dyn Error>> {
    let (why, failures) = match heard(workspace, words, limit, output)? {
        Ok((ran, _)) if ran.status.success() => return Ok(Outcome::Passed),
        Ok((ran, failures)) => (ran.status.to_string(), failures),
        Err(why) => return Ok(Outcome::Failed { why, tests: Vec::new() }),
    };
    let is_whole = failures.is_whole();
    let failed = failures.all();
    if !is_whole || failed.is_empty() || failed.len() > FEW {
        return Ok(Outcome::Failed { why, tests: failed });
    }
    Ok(match heard(workspace, &again(words, &failed), limit, output)? {
        Ok((ran, second)) if ran.status.success() && second.have_passed(&failed) => Outcome::Unsteady(failed),
        _ => Outcome::Failed { why, tests: failed },
    })
}

/// The same for these tests only.
fn again<'a>(words: &[&'a str], failed: &'a [FailedTest]) -> Vec<&'a str> {
    let mut words = words.to_vec();
    if !words.contains(&"--") {
        words.push("--");
    }
    words.push("--exact");
    words.extend(failed.iter().map(|test| test.name.as_str()));
    words
}

/// Runs a program whose output a person sees and we read; the inner error says why it did not come to its end.
fn heard(
    workspace: &Workspace,
    words: &[&str],
    limit: Duration,
    output: &mut dyn Write,
) -> Result<Result<(Ran, Failures), String>, Box<dyn Error>> {
    writeln!(output, "$ {}", words.join(" "))?;
    output.flush()?;
    let mut failures = Failures::default();
    match run::heard(workspace.root(), words, limit, &mut |line| {
        // Who no longer reads our output still learns from the exit code how it went.
        let _ = writeln!(output, "{line}");
        failures.read(line);
    }) {
        Ok(ran) => Ok(Ok((ran, failures))),
        Err(error @ RunError::Interrupted { .. }) => Err(error.into()),
        Err(error) => Ok(Err(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str) -> Outcome {
        let workspace = Workspace::here().unwrap();
        cargo_test(&workspace, &["sh", "-c", script], Duration::from_secs(30), &mut Vec::new()).unwrap()
    }

    /// What a program of tests prints of which these failed.
    fn failing(names: &str) -> String {
        format!(
            "echo 'running 9 tests'; set -- {names}; for name do echo \"test $name ... FAILED\"; done; \
             echo \"test result: FAILED. 1 passed; $# failed; 0 ignored\"; exit 1"
        )
    }

    #[test]
    fn what_passes_at_a_second_try_is_unsteady() {
        // The second time the names stand behind it.
        let outcome = run(&format!(
            "test \"$*\" = '--exact a::b' && echo 'test a::b ... ok' && exit; {}",
            failing("a::b")
        ));
        assert!(matches!(&outcome, Outcome::Unsteady(tests) if tests[0].name == "a::b"), "{outcome}");
        let outcome = run(&format!("test $# -gt 0 && exit; {}", failing("a::b")));
        assert!(matches!(&outcome, Outcome::Failed { .. }), "it did not run the second time: {outcome}");
    }

    #[test]
    fn what_fails_twice_has_failed_and_is_named() {
        let outcome = run(&failing("a::b"));
        assert!(matches!(&outcome, Outcome::Failed { tests, .. } if tests.len() == 1), "{outcome}");
    }

    #[test]
    fn many_failures_and_what_is_not_accounted_for_are_not_tried_again() {
        let second = "test $# -gt 0 && for name do echo \"test $name ... ok\"; done && exit";
        let many = format!("{second}; {}", failing("a b c d"));
        assert!(matches!(run(&many), Outcome::Failed { tests, .. } if tests.len() == 4));
        let none = format!("{second}; echo 'error: could not compile'; exit 1");
        assert!(matches!(run(&none), Outcome::Failed { tests, .. } if tests.is_empty()));
        let crashed = format!("{second}; echo 'running 5 tests'; {}", failing("a"));
        assert!(matches!(run(&crashed), Outcome::Failed { tests, .. } if tests.len() == 1));
    }

    #[test]
    fn names_come_behind_the_words_of_the_tests_own_program() {
        let failed = [FailedTest { name: "x".to_owned(), output: Vec::new() }];
        assert_eq!(again(&["cargo", "test"], &failed), ["cargo", "test", "--", "--exact", "x"]);
        assert_eq!(
            again(&["cargo", "test", "--", "--skip", "y"], &failed),
            ["cargo", "test", "--", "--skip", "y", "--exact", "x"]
        );
    }
}
