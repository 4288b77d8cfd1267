//! `.dockerignore`: which files of the context are not sent (Docker's reference, ".dockerignore files").

/// The patterns of a file, in order: the last one that matches decides.
#[derive(Debug, Clone, Default)]
pub(super) struct Ignore {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    /// Whether it takes back what an earlier one ignored.
    wanted: bool,
    parts: Vec<String>,
}

impl Ignore {
    /// Reads the file's text.
    pub(super) fn parse(text: &str) -> Self {
        let pattern = |line: &str| {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                return None;
            }
            let (wanted, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest.trim()));
            let mut parts: Vec<String> = Vec::new();
            for part in line.split('/').filter(|part| !part.is_empty() && *part != ".") {
                if part == ".." {
                    parts.pop();
                } else {
                    parts.push(part.to_owned());
                }
            }
            (!parts.is_empty()).then_some(Pattern { wanted, parts })
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { patterns: text.lines().filter_map(pattern).collect() }
    }

    /// Whether a path, relative to the context, is ignored.
    pub(super) fn matches(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        let mut ignored = false;
        for pattern in &self.patterns {
            // A pattern that matches a folder matches all that is in it.
            if pattern.wanted == ignored
                && (1..=parts.len()).any(|end| matches_parts(&pattern.parts, &parts[..end]))
            {
                ignored = !pattern.wanted;
            }
        }
        ignored
    }

    /// Whether something in an ignored folder may be wanted all the same.
    pub(super) fn may_want_inside(&self, folder: &str) -> bool {
        let parts: Vec<&str> = folder.split('/').collect();
        self.patterns.iter().filter(|pattern| pattern.wanted).any(|pattern| {
            let doubles = pattern.parts.iter().any(|part| part == "**");
            let begins = pattern.parts.iter().zip(&parts).all(|(pattern, part)| matches_part(pattern, part));
            doubles || (begins && pattern.parts.len() > parts.len())
        })
    }
}

/// `**` stands for any number of folders.
fn matches_parts(pattern: &[String], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            (0..=path.len()).any(|skipped| matches_parts(rest, &path[skipped..]))
                && (!rest.is_empty() || !path.is_empty())
        }
        (Some((first, rest)), Some((part, more))) => matches_part(first, part) && matches_parts(rest, more),
        _ => false,
    }
}

/// `*`, `?`, `[a-z]` and `\` within one name.
fn matches_part(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go back to: behind the last star, and one character further on.
    let mut back: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                back = Some((p, n));
                continue;
            }
            Some(_) => {
                if let Some(next) = matches_one(&pattern, p, name[n]) {
                    (p, n) = (next, n + 1);
                    continue;
                }
            }
            None => {}
        }
        match back {
            Some((star, from)) => {
                back = Some((star, from + 1));
                (p, n) = (star, from + 1);
            }
            None => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Whether one character matches at `p`; where the pattern goes on.
fn matches_one(pattern: &[char], p: usize, c: char) -> Option<usize> {
    match pattern[p] {
        '?' => Some(p + 1),
        '\\' => (pattern.get(p + 1) == Some(&c)).then_some(p + 2),
        '[' => {
            let end = p + 1 + pattern[p + 1..].iter().position(|c| *c == ']').filter(|end| *end > 0)?;
            let inner = &pattern[p + 1..end];
            let (negated, inner) = match inner.split_first() {
                Some(('^', rest)) => (true, rest),
                _ => (false, inner),
            };
            let mut found = false;
            let mut index = 0;
            while index < inner.len() {
                if inner.get(index + 1) == Some(&'-') && index + 2 < inner.len() {
                    found |= (inner[index]..=inner[index + 2]).contains(&c);
                    index += 3;
                } else {
                    found |= inner[index] == c;
                    index += 1;
                }
            }
            (found != negated).then_some(end + 1)
        }
        other => (other == c).then_some(p + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_docker_has_it() {
        for (patterns, path, ignored) in [
            ("target", "target/debug/x", true),
            ("target", "src/target", false),
            ("/target/", "target/x", true),
            ("**/target", "a/b/target/x", true),
            ("**/target", "target", true),
            ("*/temp*", "a/temporary.txt", true),
            ("*/temp*", "a/b/temp", false),
            ("*/*/temp*", "a/b/temp", true),
            ("temp?", "tempa", true),
            ("temp?", "temp", false),
            ("**/*.go", "a/b/c.go", true),
            ("*.md\n!README.md", "README.md", false),
            ("*.md\n!README.md", "OTHER.md", true),
            ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true),
            ("# comment\n\n  x  ", "x", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("./a/../b", "b", true),
            ("*\n!src", "src/main.rs", false),
            ("a/**", "a/x/y", true),
            ("a/**", "a", false),
            ("a**b", "axxb", true),
        ] {
            assert_eq!(Ignore::parse(patterns).matches(path), ignored, "{patterns:?} {path}");
        }
    }

    #[test]
    fn ignored_folders_are_looked_into_only_when_something_may_be_wanted() {
        let ignore = Ignore::parse("*\n!src/keep\n");
        assert!(ignore.may_want_inside("src"));
        assert!(!ignore.may_want_inside("node_modules"));
        assert!(!Ignore::parse("node_modules").may_want_inside("node_modules"));
    }
}
