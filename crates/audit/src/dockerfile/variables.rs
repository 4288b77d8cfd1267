//! Fills variables into a word, where all of them are known.

/// The text with `$NAME` and `${NAME}` filled in; `None` where one is not known.
pub(super) fn fill(text: &str, known: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let escaped = rest[..at].ends_with('\\');
        filled.push_str(rest[..at].trim_end_matches('\\'));
        let after = &rest[at + 1..];
        if escaped {
            filled.push('$');
            rest = after;
            continue;
        }
        let (name, operator, length) = reference(after)?;
        let value = known(name).filter(|value| !value.is_empty() || !operator.starts_with(':'));
        match operator.trim_start_matches(':').chars().next() {
            None => filled.push_str(&value?),
            Some('-') => {
                let default = &operator[operator.find('-')? + 1..];
                filled.push_str(&match value {
                    Some(value) => value,
                    None => fill(default, known)?,
                });
            }
            Some('+') => {
                if value.is_some() {
                    filled.push_str(&fill(&operator[operator.find('+')? + 1..], known)?);
                }
            }
            Some(_) => return None,
        }
        rest = &after[length..];
    }
    filled.push_str(rest);
    Some(filled)
}

/// The variable that a text behind `$` names, what follows the name in braces, and how long both are.
fn reference(text: &str) -> Option<(&str, &str, usize)> {
    let name_end =
        |text: &str| text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    if let Some(inner) = text.strip_prefix('{') {
        let mut depth = 0;
        let close = inner.char_indices().find(|(_, c)| {
            depth += i32::from(*c == '{');
            depth -= i32::from(*c == '}');
            depth < 0
        })?;
        let inner = &inner[..close.0];
        let end = name_end(inner);
        return (end > 0).then(|| (&inner[..end], &inner[end..], close.0 + 2));
    }
    let end = name_end(text);
    (end > 0).then(|| (&text[..end], "", end))
}

/// The names of the variables in a text, and whether each has a default or is asked for otherwise.
pub(super) fn names(text: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(dollar) = text[at..].find('$') {
        let start = at + dollar;
        at = start + 1;
        if text[..start].ends_with('\\') {
            continue;
        }
        if let Some((name, operator, _)) = reference(&text[at..]) {
            found.push((name, !operator.is_empty()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_filled_in() {
        let known = |name: &str| match name {
            "A" => Some("1".to_owned()),
            "E" => Some(String::new()),
            _ => None,
        };
        for (text, filled) in [
            ("x$A-${A}", Some("x1-1")),
            ("${B:-y$A}", Some("y1")),
            ("${E:-z}", Some("z")),
            ("${E-z}", Some("")),
            ("${A:+w}${B:+v}", Some("w")),
            ("\\$A", Some("$A")),
            ("$B", None),
            ("${B", None),
            ("${A#x}", None),
        ] {
            assert_eq!(fill(text, &known).as_deref(), filled, "{text}");
        }
        assert_eq!(names("$A ${B:-x} \\$C ${D}"), [("A", false), ("B", true), ("D", false)]);
    }
}
