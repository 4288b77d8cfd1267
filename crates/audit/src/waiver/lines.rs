//! Which lines a comment is about: the key below it with all that stands under it, an instruction, a variable.

use std::path::Path;

use crate::redact::is_environment_file;

/// What kind of file a comment stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Compose,
    Dockerfile,
    Environment,
}

impl Kind {
    /// By the file's name; `None` for what bears no comments of ours.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let docker = |name: &str| ["dockerfile", "containerfile"].iter().any(|word| name.contains(word));
        if name.ends_with(".yaml") || name.ends_with(".yml") || name == "-" {
            Some(Self::Compose)
        } else if name.ends_with("ignore") {
            None
        } else if docker(&name) {
            Some(Self::Dockerfile)
        } else if is_environment_file(path) {
            Some(Self::Environment)
        } else {
            None
        }
    }
}

/// The lines a comment on line `at` (from 0) is about, first and last, from 0. `own` says whether something else stands
/// on its line; else it is about what comes next. `None` when nothing does.
pub(super) fn reach(kind: Kind, lines: &[&str], at: usize, own: bool) -> Option<(usize, usize)> {
    let first = if own {
        at
    } else {
        let next = lines.iter().enumerate().skip(at + 1);
        let (next, line) =
            next.map(|(at, line)| (at, line.trim())).find(|(_, line)| !line.starts_with('#'))?;
        (!line.is_empty()).then_some(next)?
    };
    let last = match kind {
        Kind::Compose => end_of_block(lines, first),
        Kind::Dockerfile => end_of_instruction(lines, first),
        Kind::Environment => first,
    };
    Some((first, last))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn is_blank(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// The last line of what stands under a key or list item: all that is deeper, and items at the depth of their key.
fn end_of_block(lines: &[&str], first: usize) -> usize {
    let column = indent(lines[first]);
    let is_item = lines[first].trim_start().starts_with('-');
    let inside = |line: &str| {
        let deeper = indent(line) > column;
        deeper || (!is_item && indent(line) == column && line.trim_start().starts_with("- "))
    };
    let mut last = first;
    for (at, line) in lines.iter().enumerate().skip(first + 1).filter(|(_, line)| !is_blank(line)) {
        if !inside(line) {
            break;
        }
        last = at;
    }
    last
}

/// The service whose key stands on a line of a Compose file.
pub(super) fn service(lines: &[&str], at: usize) -> Option<String> {
    let line = lines[at];
    let (key, _) = line.trim().split_once(':')?;
    let column = indent(line);
    let above = lines[..at].iter().rev().find(|line| !is_blank(line) && indent(line) < column)?;
    let parent = above.split('#').next().unwrap_or_default().trim_end();
    let key = key.trim_matches(['"', '\'']);
    let is_name = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    (parent == "services:" && is_name).then(|| key.to_owned())
}

/// The last line of an instruction that goes on behind `\`, or in here-documents.
fn end_of_instruction(lines: &[&str], first: usize) -> usize {
    let mut waiting: Vec<String> = Vec::new();
    let mut at = first;
    loop {
        let line = lines[at].trim_end();
        waiting.extend(here_documents(line));
        let goes_on = line.ends_with(['\\', '`']) || (at > first && line.trim_start().starts_with('#'));
        if !goes_on || at + 1 >= lines.len() {
            break;
        }
        at += 1;
    }
    for word in waiting {
        let end = lines.iter().enumerate().skip(at + 1).find(|(_, line)| line.trim() == word);
        at = end.map_or(lines.len() - 1, |(end, _)| end);
    }
    at
}

/// The words that end the here-documents which a line begins.
fn here_documents(line: &str) -> impl Iterator<Item = String> + '_ {
    line.split("<<").skip(1).filter_map(|rest| {
        let rest = rest.trim_start_matches('-').trim_start_matches(['"', '\'']);
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let begins = rest.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        begins.then(|| rest[..end].to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, text: &str, at: usize, own: bool, expected: Option<(usize, usize)>) {
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(reach(kind, &lines, at, own), expected, "{text}");
    }

    #[test]
    fn a_comment_in_yaml_is_about_the_key_and_what_stands_under_it() {
        let text = "services:\n  # w\n  # more\n  web: # x\n    image: a\n\n    ports:\n    - '80'\n    user: b\n  db:\n    image: c\n";
        check(Kind::Compose, text, 1, false, Some((3, 8)));
        check(Kind::Compose, text, 3, true, Some((3, 8)));
        check(Kind::Compose, text, 4, true, Some((4, 4)));
        check(Kind::Compose, text, 6, true, Some((6, 7)));
        check(Kind::Compose, text, 7, true, Some((7, 7)));
        check(Kind::Compose, "a: 1\n# w\n\nb: 2\n", 1, false, None);
        check(Kind::Compose, "a: 1\n# w", 1, false, None);
    }

    #[test]
    fn a_services_own_line_is_known() {
        let lines = ["x-a:", "  web:", "services: # all", "  # w", "  web: {}", "  \"db\":", "    image: x"];
        let found: Vec<_> = (0..lines.len()).map(|at| service(&lines, at)).collect();
        let expected = [None, None, None, None, Some("web"), Some("db"), None];
        assert_eq!(found, expected.map(|name| name.map(str::to_owned)));
    }

    #[test]
    fn a_comment_in_a_dockerfile_is_about_the_whole_instruction() {
        let text = "# w\nRUN a \\\n  # note\n  && b\nUSER x\n# v\nRUN <<EOF bash && cat <<-'TWO'\nx\nEOF\ny\nTWO\nCMD z";
        check(Kind::Dockerfile, text, 0, false, Some((1, 3)));
        check(Kind::Dockerfile, text, 5, false, Some((6, 10)));
        check(Kind::Dockerfile, "# w\nRUN <<EOF\nno end", 0, false, Some((1, 2)));
    }

    #[test]
    fn kinds_go_by_the_name() {
        let kind = |name: &str| Kind::of(Path::new(name));
        assert_eq!(kind("compose.prod.yml"), Some(Kind::Compose));
        assert_eq!(kind("a/Dockerfile.dev"), Some(Kind::Dockerfile));
        assert_eq!(kind("web.Dockerfile"), Some(Kind::Dockerfile));
        assert_eq!(kind(".env.production"), Some(Kind::Environment));
        assert_eq!(kind("Dockerfile.dockerignore"), None);
        assert_eq!(kind("main.rs"), None);
    }
}
