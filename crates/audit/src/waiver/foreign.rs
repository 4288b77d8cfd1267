//! Ignore comments of other tools in a Dockerfile, so that a team can switch: hadolint, BuildKit, checkov.

pub(super) mod table;

use seaworthy_project::{FileId, Span};

use super::lines::{self, Kind};
use super::{Origin, Reach, Waiver, Waivers, comment};

/// One comment, taken apart.
struct Ignore<'text> {
    tool: &'static str,
    /// Their names for rules.
    ids: Vec<&'text str>,
    /// What the comment gives as reason.
    reason: Option<&'text str>,
    /// Whether it is about the whole file, not only about what comes next.
    whole: bool,
}

/// The waivers in one Dockerfile. What we have no rule for is left alone.
pub(super) fn read(file: FileId, text: &str, all: &mut Waivers) {
    let lines: Vec<&str> = text.lines().collect();
    let mut start = 0;
    for (at, whole) in text.split_inclusive('\n').enumerate() {
        let line = whole.trim_end();
        let column = line.len() - line.trim_start().len();
        if let Some(ignore) = line[column..].strip_prefix('#').and_then(|text| parse(text.trim())) {
            let span = comment::span(file, at, start, line, column);
            let reach = if ignore.whole { None } else { lines::reach(Kind::Dockerfile, &lines, at, false) };
            let (first, last) = reach.map_or((1, u32::MAX), |(first, last)| (number(first), number(last)));
            if ignore.whole || reach.is_some() {
                all.waivers.extend(waiver(&ignore, Reach::Lines { file, first, last, service: None }, span));
            }
        }
        start += whole.len();
    }
}

fn number(line: usize) -> u32 {
    u32::try_from(line + 1).unwrap_or(u32::MAX)
}

fn waiver(ignore: &Ignore<'_>, reach: Reach, span: Span) -> Option<Waiver> {
    let mut rules: Vec<&'static str> =
        ignore.ids.iter().flat_map(|id| table::rules(ignore.tool, id)).collect();
    rules.sort_unstable();
    rules.dedup();
    let reason = ignore.reason.map_or_else(
        || format!("`{}` is ignored by a comment for {}", ignore.ids.join(", "), ignore.tool),
        str::to_owned,
    );
    let origin = Origin::Foreign(ignore.tool);
    (!rules.is_empty()).then_some(Waiver {
        rules,
        points: Vec::new(),
        reach,
        reason,
        until: None,
        origin,
        span,
    })
}

fn parse(comment: &str) -> Option<Ignore<'_>> {
    hadolint(comment).or_else(|| buildkit(comment)).or_else(|| checkov(comment))
}

/// `hadolint ignore=DL3006,DL3008` and `hadolint global ignore=DL3006`.
fn hadolint(comment: &str) -> Option<Ignore<'_>> {
    let rest = comment.strip_prefix("hadolint")?.trim_start();
    let (whole, rest) = match rest.strip_prefix("global") {
        Some(rest) => (true, rest.trim_start()),
        None => (false, rest),
    };
    let list = rest.strip_prefix("ignore")?.trim_start().strip_prefix('=')?;
    Some(Ignore { tool: "hadolint", ids: ids(list), reason: None, whole })
}

/// `check=skip=JSONArgsRecommended,StageNameCasing;error=true`.
fn buildkit(comment: &str) -> Option<Ignore<'_>> {
    let settings = comment.strip_prefix("check")?.trim_start().strip_prefix('=')?;
    let list = settings.split(';').find_map(|setting| setting.trim().strip_prefix("skip="))?;
    Some(Ignore { tool: "buildkit", ids: ids(list), reason: None, whole: true })
}

/// `checkov:skip=CKV_DOCKER_3:reason`.
fn checkov(comment: &str) -> Option<Ignore<'_>> {
    let rest = comment.strip_prefix("checkov:skip=")?;
    let (list, reason) = rest.split_once(':').map_or((rest, None), |(list, reason)| (list, Some(reason)));
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    Some(Ignore { tool: "checkov", ids: ids(list), reason, whole: true })
}

fn ids(list: &str) -> Vec<&str> {
    list.split(',').filter_map(|id| id.split_whitespace().next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_of_other_tools_are_taken_apart() {
        let told = |text: &str| {
            parse(text).map(|ignore| {
                (ignore.tool, ignore.ids.join("+"), ignore.reason.map(str::to_owned), ignore.whole)
            })
        };
        let expect = |tool, ids: &str, reason: Option<&str>, whole| {
            Some((tool, ids.to_owned(), reason.map(str::to_owned), whole))
        };
        assert_eq!(told("hadolint ignore=DL3006,DL3008"), expect("hadolint", "DL3006+DL3008", None, false));
        assert_eq!(told("hadolint global ignore=DL3006 # x"), expect("hadolint", "DL3006", None, true));
        assert_eq!(told("check=skip=A,B;error=true"), expect("buildkit", "A+B", None, true));
        assert_eq!(told("check=error=true;skip=all"), expect("buildkit", "all", None, true));
        assert_eq!(
            told("checkov:skip=CKV_DOCKER_3: runs as root"),
            expect("checkov", "CKV_DOCKER_3", Some("runs as root"), true)
        );
        assert_eq!(told("checkov:skip=CKV_DOCKER_3"), expect("checkov", "CKV_DOCKER_3", None, true));
        for text in ["check the ports", "hadolint is fine", "syntax=docker/dockerfile:1", "checkov:skip"] {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
