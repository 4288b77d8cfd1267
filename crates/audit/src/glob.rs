//! Patterns of `.dockerignore` and `.gitignore`.

/// The lines of an ignore file, in order; a later one overrules an earlier one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ignore {
    patterns: Vec<(bool, String)>,
}

impl Ignore {
    /// A `.dockerignore`: patterns start at the context's folder.
    pub(crate) fn of_docker(text: &str) -> Self {
        Self::read(text, |pattern| pattern.trim_matches('/').to_owned())
    }

    /// A `.gitignore`: a pattern without a slash fits at any depth.
    pub(crate) fn of_git(text: &str) -> Self {
        Self::read(text, |pattern| {
            let bare = pattern.trim_end_matches('/');
            if bare.contains('/') { bare.trim_start_matches('/').to_owned() } else { format!("**/{bare}") }
        })
    }

    fn read(text: &str, pattern: impl Fn(&str) -> String) -> Self {
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let patterns = lines.map(|line| match line.strip_prefix('!') {
            Some(kept) => (false, pattern(kept.trim_start_matches("./"))),
            None => (true, pattern(line.trim_start_matches("./"))),
        });
        Self { patterns: patterns.collect() }
    }

    /// Whether a file is left out.
    pub(crate) fn excludes(&self, path: &str) -> bool {
        let fits = |pattern: &str| {
            let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            ends.into_iter().any(|end| matches(pattern, &path[..end]))
        };
        self.patterns.iter().rev().find(|(_, pattern)| fits(pattern)).is_some_and(|(out, _)| *out)
    }
}

/// Whether a path fits a pattern with `*`, `?` and `**`.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    parts(&pattern, &path)
}

fn parts(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) if parts(rest, path) => true,
        (Some((&"**", _)), Some((_, deeper))) => parts(pattern, deeper),
        (Some((first, rest)), Some((name, deeper))) => {
            part(first.as_bytes(), name.as_bytes()) && parts(rest, deeper)
        }
        _ => false,
    }
}

/// One name against one pattern, without going back further than the last `*`.
fn part(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    p = at + 1;
                    n = from + 1;
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_fits_decides() {
        let ignore = Ignore::of_docker("# note\n*.md\n!README.md\n.env*\n/dist/\n**/secret\n");
        for (path, out) in [
            ("a.md", true),
            ("README.md", false),
            (".env", true),
            (".env.production", true),
            ("dist/x/y", true),
            ("a/b/secret", true),
            ("a/b.md", false),
            ("src", false),
        ] {
            assert_eq!(ignore.excludes(path), out, "{path}");
        }
        assert!(Ignore::of_docker("*\n!src").excludes(".env"));
        let git = Ignore::of_git(".env*\n!.env.example\n/build\n");
        assert!(git.excludes("app/.env") && !git.excludes(".env.example"));
        assert!(git.excludes("build/x") && !git.excludes("app/build"));
    }
}
