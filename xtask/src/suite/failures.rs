//! Reads from the output of `cargo test` which tests failed, and what each of them printed.

/// How many lines of a failed test are kept: the last ones.
const LINES: usize = 60;

/// A test that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FailedTest {
    /// Its path within its program, as `cargo test` takes it.
    pub(super) name: String,
    /// The end of what it printed.
    pub(super) output: Vec<String>,
}

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Failures {
    found: Vec<FailedTest>,
    /// The test whose output the lines are now.
    open: Option<usize>,
    /// Programs of tests that began, and those of them that came to their end.
    begun: usize,
    ended: usize,
    /// How many failures those that ended count.
    counted: usize,
    passed: Vec<String>,
}

impl Failures {
    /// Reads one more line.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.open = Some(self.place_of(name));
        } else if let Some(name) =
            line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.place_of(name);
        } else if let Some(name) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... ok")) {
            self.passed.push(name.to_owned());
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.open = None;
            self.ended += 1;
            self.counted += failed_of(result);
        } else if is_begin(line) {
            self.open = None;
            self.begun += 1;
        } else if line == "failures:" {
            self.open = None;
        } else if let Some(test) = self.open.and_then(|open| self.found.get_mut(open)) {
            if test.output.len() == LINES {
                test.output.remove(0);
            }
            test.output.push(line.to_owned());
        }
    }

    /// Whether the failures read are all there were: each program came to its end, and counts no more.
    pub(super) fn is_whole(&self) -> bool {
        self.begun == self.ended && self.counted == self.found.len()
    }

    /// Whether each of these tests ran and passed.
    pub(super) fn have_passed(&self, tests: &[FailedTest]) -> bool {
        tests.iter().all(|test| self.passed.contains(&test.name))
    }

    /// All that failed, in the order in which they did.
    pub(super) fn all(self) -> Vec<FailedTest> {
        self.found
    }

    fn place_of(&mut self, name: &str) -> usize {
        if let Some(place) = self.found.iter().position(|test| test.name == name) {
            return place;
        }
        self.found.push(FailedTest { name: name.to_owned(), output: Vec::new() });
        self.found.len() - 1
    }
}

/// `running 3 tests`
fn is_begin(line: &str) -> bool {
    let count = line.strip_prefix("running ").and_then(|rest| rest.split_once(" test"));
    count.is_some_and(|(count, _)| count.parse::<usize>().is_ok())
}

/// `FAILED. 1 passed; 2 failed; …`
fn failed_of(result: &str) -> usize {
    let part = result.split("; ").find_map(|part| part.strip_suffix(" failed"));
    part.and_then(|count| count.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str) -> Failures {
        let mut failures = Failures::default();
        text.lines().for_each(|line| failures.read(line));
        failures
    }

    fn read(text: &str) -> Vec<FailedTest> {
        heard(text).all()
    }

    #[test]
    fn only_what_is_accounted_for_is_whole() {
        let fine = "running 1 test\ntest a ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";
        let one =
            "running 2 tests\ntest b ... FAILED\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored\n";
        assert!(heard(&format!("{fine}{one}")).is_whole());
        assert!(!heard(&format!("{one}running 5 tests\ntest c ... ok\n{fine}")).is_whole(), "one crashed");
        assert!(!heard(&format!("{one}{one}")).is_whole(), "two of one name");
        let failed = read(one);
        assert!(heard("running 1 test\ntest b ... ok\n").have_passed(&failed));
        assert!(!heard("running 0 tests\n").have_passed(&failed), "it did not run");
    }

    #[test]
    fn names_and_outputs_of_failed_tests_are_read() {
        let found = read(
            "running 3 tests\ntest a::fine ... ok\ntest a::first ... FAILED\ntest second ... FAILED\n\nfailures:\n\n\
             ---- a::first stdout ----\nthread 'a::first' panicked at x.rs:1:2:\nno\n\n---- second stdout ----\nError: gone\n\n\n\
             failures:\n    a::first\n    second\n\ntest result: FAILED. 1 passed; 2 failed\n\nrunning 0 tests\n",
        );
        assert_eq!(found.iter().map(|test| test.name.as_str()).collect::<Vec<_>>(), ["a::first", "second"]);
        assert_eq!(found[0].output[..2], ["thread 'a::first' panicked at x.rs:1:2:", "no"]);
        assert_eq!(found[1].output[0], "Error: gone");
        assert!(!found[1].output.iter().any(|line| line.contains("a::first")), "{found:?}");
    }

    #[test]
    fn a_flood_keeps_its_end() {
        let flood: String = (0..500).map(|line| format!("line {line}\n")).collect();
        let found = read(&format!("---- loud stdout ----\n{flood}"));
        assert_eq!(found[0].output.len(), LINES);
        assert_eq!(found[0].output.last().unwrap(), "line 499");
    }

    #[test]
    fn a_test_that_was_cut_off_is_named_too() {
        assert_eq!(read("test x::y ... FAILED\n")[0].name, "x::y");
        assert!(read("error: could not compile `x`\n").is_empty());
    }
}
