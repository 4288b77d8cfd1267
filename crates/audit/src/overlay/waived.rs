//! Waivers that a proof writes: what a service was seen not to stay healthy with need not be asked for again.

use super::lines::Lines;
use super::scan::{self, Form};
use super::{OverlayError, edit};
use crate::{Edit, EditValue};

/// What such a line says before the point that it waives.
const MARK: &str = "# seaworthy:ignore missing-hardening/";
/// How the reason of a waiver begins that a proof wrote, and that a later one may take away.
const PROVEN: &str = "proven ";

/// A point of `missing-hardening` that a service was seen to need left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenWaiver {
    /// The point, as the rule names it: `read_only`.
    pub point: &'static str,
    /// On what it was tried, and what was seen: `on web:1: with it, it ended with exit code 1`.
    pub reason: String,
}

/// The overlay with these waivers above a service, in place of those that an earlier proof wrote. One that is there
/// already stays as it is.
///
/// # Errors
/// When a line on the way cannot be followed.
pub fn write(text: &str, service: &str, waivers: &[ProvenWaiver]) -> Result<String, OverlayError> {
    let mut text = text.to_owned();
    if find(&Lines::new(&text), service)?.is_none() {
        if waivers.is_empty() {
            return Ok(text);
        }
        let path = vec!["services".to_owned(), service.to_owned()];
        text = edit::apply(&text, &Edit { path, value: EditValue::plain("{}"), comment: None })?;
    }
    let lines = Lines::new(&text);
    let Some((at, column)) = find(&lines, service)? else {
        return Err(OverlayError::Form { key: "services".to_owned(), found: "a map in braces" });
    };
    let above = lines.all[..at].iter().rev().take_while(|line| line.is_comment()).count();
    let mut new: Vec<String> = Vec::new();
    let mut kept: Vec<&str> = Vec::new();
    for line in &lines.all[at - above..at] {
        match point(line.content()) {
            Some(point) if waivers.iter().any(|waiver| waiver.point == point) => kept.push(point),
            Some(_) => continue,
            None => {}
        }
        new.push(line.text.to_owned());
    }
    let missing = waivers.iter().filter(|waiver| !kept.contains(&waiver.point));
    new.extend(missing.map(|waiver| comment(waiver, column)));
    Ok(edit::replace_lines(&lines, &(at - above..at), &new))
}

/// The line and column of a service's key; `None` when it is not there as a line of its own.
fn find(lines: &Lines<'_>, service: &str) -> Result<Option<(usize, usize)>, OverlayError> {
    let services =
        scan::entries(lines, &scan::root(lines)?)?.into_iter().find(|entry| entry.key == "services");
    let Some(Form::Map(region)) = services.map(|entry| entry.form) else { return Ok(None) };
    let found = scan::entries(lines, &region)?.into_iter().find(|entry| entry.key == service);
    Ok(found.map(|entry| (entry.lines.start, region.column)))
}

/// The point that a line waives, where a proof wrote it.
fn point(line: &str) -> Option<&str> {
    let (point, reason) = line.strip_prefix(MARK)?.split_once(' ')?;
    reason.starts_with(PROVEN).then_some(point)
}

fn comment(waiver: &ProvenWaiver, column: usize) -> String {
    // A last day is a person's to say, not a log's.
    let reason = waiver.reason.replace(['\n', '\r'], " ").replace("until=", "until: ");
    format!("{}{MARK}{} {PROVEN}{reason}", " ".repeat(column), waiver.point)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiver(point: &'static str, reason: &str) -> ProvenWaiver {
        ProvenWaiver { point, reason: reason.to_owned() }
    }

    const OVERLAY: &str = "services:\n  # mine\n  # seaworthy:ignore missing-hardening/user it was decided\n  web:\n    read_only: true\n\n  db: {}\n";

    #[test]
    fn a_waiver_is_written_once_and_goes_when_it_is_not_needed_any_more() {
        let both = [waiver("cap_drop", "on web:1: with it, no"), waiver("read_only", "on web:1: a\nuntil=b")];
        let once = write(OVERLAY, "web", &both).unwrap();
        assert_eq!(
            once,
            "services:\n  # mine\n  # seaworthy:ignore missing-hardening/user it was decided\n  # seaworthy:ignore missing-hardening/cap_drop proven on web:1: with it, no\n  # seaworthy:ignore missing-hardening/read_only proven on web:1: a until: b\n  web:\n    read_only: true\n\n  db: {}\n"
        );
        let seen_otherwise = [waiver("cap_drop", "on web:1: with it, late"), both[1].clone()];
        assert_eq!(write(&once, "web", &seen_otherwise).unwrap(), once, "the same result changes nothing");
        let one = write(&once, "web", &both[1..]).unwrap();
        assert!(!one.contains("cap_drop") && one.contains("proven on web:1: a until: b"), "{one}");
        assert_eq!(write(&once, "web", &[]).unwrap(), OVERLAY, "what a person decided stays");
    }

    #[test]
    fn a_service_of_which_the_overlay_says_nothing_is_named_there() {
        let one = [waiver("read_only", "on x:1: no")];
        assert_eq!(write(OVERLAY, "other", &[]).unwrap(), OVERLAY);
        let text = write(OVERLAY, "other", &one).unwrap();
        let line = "  # seaworthy:ignore missing-hardening/read_only proven on x:1: no\n  other: {}\n";
        assert!(text.contains(line), "{text}");
        assert_eq!(write(&text, "other", &one).unwrap(), text);
        let windows = write("services:\r\n  web:\r\n    user: a\r\n", "web", &one).unwrap();
        assert!(windows.contains("proven on x:1: no\r\n  web:\r\n"), "{windows:?}");
        assert!(write("services: {web: {user: a}}\n", "web", &one).is_err());
    }
}
