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
        } else if line == "failures:" || line.starts_with("test result:") {
            self.open = None;
        } else if let Some(test) = self.open.and_then(|open| self.found.get_mut(open)) {
            if test.output.len() == LINES {
                test.output.remove(0);
            }
            test.output.push(line.to_owned());
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<FailedTest> {
        let mut failures = Failures::default();
        text.lines().for_each(|line| failures.read(line));
        failures.all()
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
