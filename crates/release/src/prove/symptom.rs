//! How a try failed, and what its log tells of the right that was missing.

use serde::Serialize;

/// Characters of a log line that are kept as evidence.
const SHOWN: usize = 160;

/// How a try failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Symptom {
    /// What was seen from outside: `it ended with exit code 1`.
    pub how: String,
    /// The line of its log that says the most, without times and numbers of processes.
    pub line: Option<String>,
}

impl Symptom {
    /// From what was seen outside, and the last lines of its log.
    pub(super) fn new(how: impl Into<String>, log: &[String]) -> Self {
        let told = log.iter().rev().find(|line| is_denial(line));
        let last = log.iter().rev().find(|line| !scrubbed(line).is_empty());
        Self { how: how.into(), line: told.or(last).map(|line| scrubbed(line)) }
    }
}

impl Symptom {
    /// The same, with the user it was seen with.
    pub(super) fn of(self, user: &str) -> Self {
        Self { how: format!("as user {user} {}", self.how), ..self }
    }
}

impl std::fmt::Display for Symptom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.line {
            Some(line) => write!(f, "{}: {line}", self.how),
            None => f.write_str(&self.how),
        }
    }
}

/// Words of the C library, of Go, Java and Node for the three errors by which a missing right shows.
const DENIALS: [&str; 8] = [
    "operation not permitted",
    "permission denied",
    "read-only file system",
    "eperm",
    "eacces",
    "erofs",
    "not permitted",
    "access denied",
];

/// Whether a line of a log says that something was denied.
pub(super) fn is_denial(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    DENIALS.iter().any(|word| line.contains(word))
}

/// Which words beside a denial point at which capabilities.
const POINTERS: [(&str, &[&str]); 20] = [
    ("chown", &["CHOWN"]),
    ("changing ownership", &["CHOWN"]),
    ("ownership", &["CHOWN"]),
    ("chmod", &["FOWNER"]),
    ("changing permissions", &["FOWNER"]),
    ("setgroups", &["SETGID"]),
    ("initgroups", &["SETGID"]),
    ("setgid", &["SETGID"]),
    ("setregid", &["SETGID"]),
    ("setresgid", &["SETGID"]),
    ("setuid", &["SETUID"]),
    ("setreuid", &["SETUID"]),
    ("setresuid", &["SETUID"]),
    ("switching user", &["SETGID", "SETUID"]),
    ("setpriv", &["SETGID", "SETUID"]),
    ("chroot", &["SYS_CHROOT"]),
    ("bind(", &["NET_BIND_SERVICE"]),
    ("mknod", &["MKNOD"]),
    ("kill", &["KILL"]),
    ("permission denied", &["DAC_OVERRIDE"]),
];

/// The capabilities that a log points at, most likely ones first.
pub(super) fn suspects(log: &[String]) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    for line in log.iter().filter(|line| is_denial(line)) {
        let line = line.to_ascii_lowercase();
        for (word, capabilities) in POINTERS.iter().filter(|(word, _)| line.contains(word)) {
            // A denial that names the call is about the call.
            if *word != "permission denied" || !found.contains(&"NET_BIND_SERVICE") {
                found.extend(capabilities.iter().filter(|one| !found.contains(one)).collect::<Vec<_>>());
            }
        }
    }
    found
}

/// The paths that a log says could not be written because the root is read-only.
pub(super) fn refused_paths(log: &[String]) -> Vec<String> {
    let refused = |line: &&String| {
        let line = line.to_ascii_lowercase();
        line.contains("read-only file system") || line.contains("erofs")
    };
    let mut paths = Vec::new();
    for line in log.iter().filter(refused) {
        // Most messages tell who speaks first and the path last; after the words comes the path in a few.
        let lower = line.to_ascii_lowercase();
        let at = lower.find("read-only file system").or(lower.find("erofs")).unwrap_or(line.len());
        let before = line.get(..at).map(paths_in).unwrap_or_default().pop();
        let after = || line.get(at..).map(paths_in).unwrap_or_default().into_iter().next();
        if let Some(path) = before.or_else(after)
            && !paths.contains(&path)
        {
            paths.push(path);
        }
    }
    paths
}

/// The absolute paths in a line, without the marks around them.
fn paths_in(line: &str) -> Vec<String> {
    let ends = |c: char| c.is_whitespace() || "\"'`‘’“”,;()[]<>:".contains(c);
    let words = line.split(ends).filter(|word| word.starts_with('/') && word.len() > 1);
    words.map(|word| word.trim_end_matches(['.', '/']).to_owned()).filter(|word| word.len() > 1).collect()
}

/// A line without what differs from run to run: times, numbers of processes, colours.
pub(super) fn scrubbed(line: &str) -> String {
    let plain: String = without_colours(line).chars().filter(|c| !c.is_control()).collect();
    let mut words: Vec<&str> = plain.split_whitespace().collect();
    let leads = |word: &str| {
        let bare = word.trim_matches(|c: char| "[](){}|,".contains(c));
        let timely = |c: char| c.is_ascii_digit() || "-/:.,+TZ#*".contains(c);
        bare.is_empty()
            || ["UTC", "GMT"].contains(&bare)
            || (bare.chars().all(timely) && bare.contains(|c: char| c.is_ascii_digit()))
    };
    let keep = words.iter().position(|word| !leads(word)).unwrap_or(words.len());
    let mut rest = words.split_off(keep);
    // After the level a process may tell its number again: `[emerg] 1#1: …`.
    rest.retain(|word| !is_process(word) && !is_time(word));
    let rest = without_dates(&rest);
    let mut text = rest.join(" ");
    if text.chars().count() > SHOWN {
        text = text.chars().take(SHOWN).collect::<String>() + " …";
    }
    text
}

/// `10:11:12.345`, `2026-11-21T10:11:12Z`
fn is_time(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| "[](),".contains(c));
    let timely = bare.chars().all(|c| c.is_ascii_digit() || "-/:.,+TZ".contains(c));
    let joins = |mark: char| bare.matches(mark).count() >= 2;
    timely && bare.starts_with(|c: char| c.is_ascii_digit()) && (joins(':') || joins('/') || joins('-'))
}

/// Leaves out `21 Nov 2026`.
fn without_dates<'a>(words: &[&'a str]) -> Vec<&'a str> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let number = |word: &str| word.parse::<u16>().is_ok();
    let month = (1..words.len().saturating_sub(1)).find(|&index| {
        MONTHS.contains(&words[index]) && number(words[index - 1]) && number(words[index + 1])
    });
    match month {
        Some(month) => [&words[..month - 1], &words[month + 2..]].concat(),
        None => words.to_vec(),
    }
}

/// `1#1:`, `[17]`, `pid=17`
fn is_process(word: &str) -> bool {
    let bare = word.trim_end_matches(':');
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    bare.split_once('#').is_some_and(|(one, other)| digits(one) && digits(other))
        || bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(digits)
        || bare.strip_prefix("pid=").is_some_and(digits)
}

fn without_colours(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            for c in chars.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_differs_from_run_to_run_is_left_out() {
        for (line, expected) in [
            (
                "2026/11/21 10:11:12 [emerg] 1#1: setgid(33) failed (1: Operation not permitted)",
                "[emerg] setgid(33) failed (1: Operation not permitted)",
            ),
            ("2026-11-21 10:11:12.345 UTC [17] FATAL:  no", "FATAL: no"),
            ("1:M 21 Nov 2026 10:11:12.345 # Failed", "1:M # Failed"),
            ("level=error ts=x at 10:11:12 gone", "level=error ts=x at gone"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
        ] {
            assert_eq!(scrubbed(line), expected);
        }
    }

    #[test]
    fn the_line_that_says_the_most_is_kept() {
        let log = lines("starting\nchown: changing ownership of '/data': Operation not permitted\nbye");
        let symptom = Symptom::new("it ended with exit code 1", &log);
        assert_eq!(
            symptom.to_string(),
            "it ended with exit code 1: chown: changing ownership of '/data': Operation not permitted"
        );
        assert_eq!(Symptom::new("it ended", &[]).to_string(), "it ended");
    }

    #[test]
    fn a_log_points_at_capabilities() {
        for (log, expected) in [
            ("chown: changing ownership of '/data': Operation not permitted", vec!["CHOWN"]),
            ("setpriv: setresgid failed: Operation not permitted", vec!["SETGID", "SETUID"]),
            ("bind() to 0.0.0.0:80 failed (13: Permission denied)", vec!["NET_BIND_SERVICE"]),
            ("open('/x'): Permission denied", vec!["DAC_OVERRIDE"]),
            ("all is well with chown", vec![]),
        ] {
            assert_eq!(suspects(&lines(log)), expected, "{log}");
        }
    }

    #[test]
    fn a_log_tells_where_a_read_only_root_refused() {
        let log = lines(
            "mkdir: cannot create directory '/run/app': Read-only file system\nopen(\"/var/log/x.log\") EROFS: no\nls /etc: fine\n/usr/bin/start: 21: cannot create /tmp/x: Read-only file system\nError: EROFS: read-only file system, open '/app/y'",
        );
        assert_eq!(refused_paths(&log), ["/run/app", "/var/log/x.log", "/tmp/x", "/app/y"]);
    }
}
