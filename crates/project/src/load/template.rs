//! `$NAME` and `${NAME…}` in a text (Compose Specification, "Interpolation").

use std::ops::Range;

/// The deepest nesting of `${A:-${B:-…}}`; three is already hard to read.
pub(crate) const MAX_NESTING: usize = 16;
/// The longest text that filling in variables may give.
pub(crate) const MAX_EXPANDED_BYTES: usize = 1 << 20;

/// What a template became.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Expanded {
    /// The text with variables filled in; meaningless when there are faults.
    pub(crate) text: String,
    /// Names whose values went into the text, with their place in the template.
    pub(crate) used: Vec<(String, Range<usize>)>,
    /// Plain variables that are not set, and count as empty.
    pub(crate) unset: Vec<(String, Range<usize>)>,
    /// What is wrong.
    pub(crate) faults: Vec<Fault>,
}

/// What is wrong in a template, and where in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) range: Range<usize>,
    pub(crate) reason: Reason,
}

/// What is wrong in a template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A `$` that begins nothing.
    LoneDollar,
    /// `${` without its `}`.
    Unclosed,
    /// Something else than a name after `${`.
    BadName,
    /// Something else than an operator after the name.
    BadOperator,
    /// Too deep or too long; the limit is named.
    Limit(&'static str),
    /// `${NAME:?message}` and the variable is not set.
    Required { name: String, message: String },
}

/// Fills in the variables that `lookup` knows.
pub(crate) fn expand(template: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Expanded {
    let mut expanded = Expanded::default();
    let text = expand_into(template, 0, 0, lookup, &mut expanded);
    expanded.text = text;
    expanded
}

fn expand_into(
    template: &str,
    offset: usize,
    depth: usize,
    lookup: &dyn Fn(&str) -> Option<String>,
    out: &mut Expanded,
) -> String {
    let mut text = String::new();
    let mut at = 0;
    while let Some(dollar) = template[at..].find('$').map(|found| at + found) {
        text.push_str(&template[at..dollar]);
        let rest = &template[dollar + 1..];
        let place = |length: usize| offset + dollar..offset + dollar + length;
        if rest.starts_with('$') {
            text.push('$');
            at = dollar + 2;
        } else if let Some(inner) = rest.strip_prefix('{') {
            let Some(length) = closing_brace(inner) else {
                out.faults.push(Fault { range: place(template.len() - dollar), reason: Reason::Unclosed });
                return text;
            };
            let expression = Expression { text: &inner[..length], range: place(length + 3), depth };
            text.push_str(&expression.value(lookup, out));
            at = dollar + length + 3;
        } else {
            let length = name_length(rest);
            if length == 0 {
                out.faults.push(Fault { range: place(1), reason: Reason::LoneDollar });
            } else {
                text.push_str(&plain(&rest[..length], place(length + 1), lookup, out));
            }
            at = dollar + 1 + length;
        }
        if text.len() > MAX_EXPANDED_BYTES {
            out.faults.push(Fault { range: place(1), reason: Reason::Limit("MAX_EXPANDED_BYTES") });
            return text;
        }
    }
    text.push_str(&template[at..]);
    text
}

/// What stands between `${` and `}`.
struct Expression<'a> {
    text: &'a str,
    range: Range<usize>,
    depth: usize,
}

impl Expression<'_> {
    fn value(self, lookup: &dyn Fn(&str) -> Option<String>, out: &mut Expanded) -> String {
        let length = name_length(self.text);
        let (name, rest) = self.text.split_at(length);
        if length == 0 {
            return self.fault(Reason::BadName, out);
        }
        if self.depth >= MAX_NESTING {
            return self.fault(Reason::Limit("MAX_NESTING"), out);
        }
        if rest.is_empty() {
            return plain(name, self.range, lookup, out);
        }
        let (empty_is_unset, operator) = match rest.strip_prefix(':') {
            Some(operator) => (true, operator),
            None => (false, rest),
        };
        let value = lookup(name).filter(|value| !(empty_is_unset && value.is_empty()));
        let Some(kind) = operator.chars().next().filter(|kind| "-?+".contains(*kind)) else {
            return self.fault(Reason::BadOperator, out);
        };
        // `${`, the name, perhaps `:`, and the operator stand before the word.
        let word_offset = self.range.start + 2 + self.text.len() - operator.len() + 1;
        let word = |out: &mut Expanded| expand_into(&operator[1..], word_offset, self.depth + 1, lookup, out);
        match (kind, value) {
            ('+', Some(_)) => word(out),
            ('+', None) => String::new(),
            (_, Some(value)) => {
                out.used.push((name.to_owned(), self.range));
                value
            }
            ('-', None) => word(out),
            (_, None) => {
                let message = word(out);
                self.fault(Reason::Required { name: name.to_owned(), message }, out)
            }
        }
    }

    fn fault(self, reason: Reason, out: &mut Expanded) -> String {
        out.faults.push(Fault { range: self.range, reason });
        String::new()
    }
}

fn plain(
    name: &str,
    range: Range<usize>,
    lookup: &dyn Fn(&str) -> Option<String>,
    out: &mut Expanded,
) -> String {
    let value = lookup(name);
    let list = if value.is_some() { &mut out.used } else { &mut out.unset };
    list.push((name.to_owned(), range));
    value.unwrap_or_default()
}

/// How many bytes of a text are a variable's name.
pub(crate) fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())
}

/// Where the `}` stands that belongs to a `${` just before the text.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 1;
    let bytes = text.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if index > 0 && bytes[index - 1] == b'$' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(index);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "SET" => Some("value".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    fn text(template: &str) -> String {
        let expanded = expand(template, &lookup);
        assert_eq!(expanded.faults, [], "{template}");
        expanded.text
    }

    #[test]
    fn every_operator() {
        let cases = [
            ("$SET/${SET}", "value/value"),
            ("${SET:-d}${SET-d}", "valuevalue"),
            ("${EMPTY:-d}|${EMPTY-d}", "d|"),
            ("${NO:-d}${NO-d}", "dd"),
            ("${SET:+r}${SET+r}", "rr"),
            ("${EMPTY:+r}|${EMPTY+r}", "|r"),
            ("${NO:+r}|${NO+r}", "|"),
            ("${SET:?e}${EMPTY?e}", "value"),
            ("$$SET $${SET}", "$SET ${SET}"),
            ("${NO:-${ALSO_NO:-${SET}}}", "value"),
            ("${NO:-{a}", "{a"),
            ("${NO}|$NO", "|"),
            ("é${SET}é", "évalueé"),
        ];
        for (template, wanted) in cases {
            assert_eq!(text(template), wanted, "{template}");
        }
    }

    #[test]
    fn a_default_that_is_not_needed_is_not_looked_at() {
        assert_eq!(text("${SET:-${NO:?never}}"), "value");
    }

    #[test]
    fn faults_have_their_place() {
        let faults = |template: &str| expand(template, &lookup).faults;
        assert_eq!(faults("a$"), [Fault { range: 1..2, reason: Reason::LoneDollar }]);
        assert_eq!(faults("a${SET"), [Fault { range: 1..6, reason: Reason::Unclosed }]);
        assert_eq!(faults("${1}"), [Fault { range: 0..4, reason: Reason::BadName }]);
        assert_eq!(faults("${SET!x}"), [Fault { range: 0..8, reason: Reason::BadOperator }]);
        let required = Reason::Required { name: "B".to_owned(), message: "x value".to_owned() };
        assert_eq!(faults("-${A:-${B:?x $SET}}"), [Fault { range: 6..18, reason: required }]);
    }

    #[test]
    fn nesting_has_a_limit() {
        let deep = format!("{}{}", "${A:-".repeat(100), "}".repeat(100));
        assert!(matches!(expand(&deep, &lookup).faults[0].reason, Reason::Limit("MAX_NESTING")));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(template in "[$A-C{}:?+\\-é ]{0,60}") {
            expand(&template, &lookup);
        }
    }
}
