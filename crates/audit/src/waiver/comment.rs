//! Our own comments: `# seaworthy:ignore RULE[,RULE] reason [until=2027-01-31]`, on a line or above it.

use seaworthy_project::{FileId, Position, Problem, Span};

use super::lines::{self, Kind};
use super::{Origin, Reach, Waiver, Waivers, day, names, without_reason};

/// What such a comment begins with.
const MARK: &str = "seaworthy:ignore";

/// The waivers in one file.
pub(super) fn read(file: FileId, kind: Kind, text: &str, all: &mut Waivers) {
    if !text.contains(MARK) {
        return;
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut start = 0;
    for (at, whole) in text.split_inclusive('\n').enumerate() {
        if let Some(hash) = comment(whole, kind) {
            let line = whole.trim_end();
            let span = span(file, at, start, line, hash);
            let own = !line[..hash].trim().is_empty();
            let service =
                |first: usize| (kind == Kind::Compose).then(|| lines::service(&lines, first)).flatten();
            let reach = match lines::reach(kind, &lines, at, own) {
                Some((first, last)) => {
                    Reach::Lines { file, first: number(first), last: number(last), service: service(first) }
                }
                // About nothing: it will be told as unused.
                None => Reach::Lines { file, first: 0, last: 0, service: None },
            };
            match waiver(&line[hash + 1..], reach, span) {
                Ok(waiver) => all.waivers.push(waiver),
                Err(problem) => all.problems.push(problem),
            }
        }
        start += whole.len();
    }
}

/// Where the `#` of such a comment stands in a line.
fn comment(line: &str, kind: Kind) -> Option<usize> {
    line.match_indices('#').map(|(at, _)| at).find(|at| {
        let before = &line[..*at];
        let begins = match kind {
            Kind::Dockerfile => before.trim().is_empty(),
            Kind::Compose | Kind::Environment => before.is_empty() || before.ends_with([' ', '\t']),
        };
        let rest = line[*at + 1..].trim_start().strip_prefix(MARK);
        begins && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    })
}

fn number(line: usize) -> u32 {
    u32::try_from(line + 1).unwrap_or(u32::MAX)
}

pub(super) fn span(file: FileId, at: usize, start: usize, line: &str, column: usize) -> Span {
    let position = |byte: usize| Position {
        byte: start + byte,
        line: number(at),
        column: number(line[..byte].chars().count()),
    };
    Span { file, start: position(column), end: position(line.len()) }
}

fn waiver(text: &str, reach: Reach, span: Span) -> Result<Waiver, Problem> {
    let text = text.trim().strip_prefix(MARK).unwrap_or_default();
    let mut words = text.split_whitespace();
    let hint = "write the rule and why: `# seaworthy:ignore moving-tag the vendor publishes no versions`";
    let Some(named) = words.next() else {
        let message = "The waiver names no rule.";
        return Err(Problem::at(seaworthy_project::ProblemKind::Required, span, message).hint(hint));
    };
    let (rules, points) = names(named, span)?;
    let mut until = None;
    let mut reason = Vec::new();
    for word in words {
        match word.strip_prefix("until=") {
            Some(text) => until = Some(day(text.trim_matches(['[', ']', '.', ',']), span)?),
            None => reason.push(word),
        }
    }
    let reason = reason.join(" ");
    let reason = reason.trim_start_matches(['-', ':', '–', '—', ' ']).to_owned();
    if reason.is_empty() {
        return Err(without_reason(named, span, hint));
    }
    Ok(Waiver { rules, points, reach, reason, until, origin: Origin::Comment, span })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_compose(text: &str) -> Waivers {
        let mut all = Waivers::default();
        read(FileId(0), Kind::Compose, text, &mut all);
        all
    }

    #[test]
    fn rules_reason_and_last_day_are_read() {
        let all = read_compose(
            "a: 1 # seaworthy:ignore moving-tag,privileged — the vendor says so until=2027-01-31\n",
        );
        let [waiver] = all.waivers.as_slice() else { panic!("{all:?}") };
        assert_eq!(waiver.rules, ["moving-tag", "privileged"]);
        assert_eq!(waiver.reason, "the vendor says so");
        assert_eq!(waiver.until, Some(jiff::civil::date(2027, 1, 31)));
        assert_eq!((waiver.span.start.line, waiver.span.start.column), (1, 6));
        assert_eq!(waiver.reach, Reach::Lines { file: FileId(0), first: 1, last: 1, service: None });
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, part) in [
            ("# seaworthy:ignore moving-tag\na: 1", "no reason"),
            ("# seaworthy:ignore moving-tag until=2027-01-31\na: 1", "no reason"),
            ("# seaworthy:ignore\na: 1", "no rule"),
            ("# seaworthy:ignore moving-tags it moves\na: 1", "There is no rule `moving-tags`"),
            ("# seaworthy:ignore moving-tag why until=31.1.2027\na: 1", "is no day"),
            ("# seaworthy:ignore moving-tag why until=2027-02-31\na: 1", "is no day"),
        ] {
            let all = read_compose(text);
            assert!(all.waivers.is_empty(), "{text}");
            assert!(all.problems[0].message.contains(part), "{text}: {:?}", all.problems);
            assert_eq!(all.problems[0].span.map(|span| span.start.line), Some(1), "{text}");
            assert!(all.problems[0].hint.is_some());
        }
    }

    #[test]
    fn other_text_is_no_comment_of_ours() {
        for text in
            ["a: x#seaworthy:ignore privileged y", "# seaworthy:ignored x y", "# see seaworthy:ignore x"]
        {
            let all = read_compose(text);
            assert!(all.waivers.is_empty() && all.problems.is_empty(), "{text}");
        }
    }
}
