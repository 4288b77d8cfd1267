//! `$NAME` and `${NAME…}` in a text (Compose Specification, "Interpolation").

use std::ops::Range;

/// The deepest nesting of `${A:-${B:-…}}`; three is already hard to read.
pub(crate) const MAX_NESTING: usize = 16;
/// The longest text that filling in variables may give.
pub(crate) const MAX_EXPANDED_BYTES: usize = 1 << 20;

/// The most expressions with an operator in one text.
pub(crate) const MAX_EXPRESSIONS: usize = 10_000;

/// What a template became.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Expanded {
    /// The text with variables filled in; meaningless when there are faults.
    pub(crate) text: String,
    /// Names whose values went into the text, with their place in the template.
    pub(crate) used: Vec<(String, Range<usize>)>,
    /// Plain variables that are not set, and count as empty.
    pub(crate) unset: Vec<(String, Range<usize>)>,
    /// Variables that are not set and have a default, which went into the text.
    pub(crate) defaulted: Vec<String>,
    /// What is wrong.
    pub(crate) faults: Vec<Fault>,
    /// Expressions with an operator so far.
    expressions: usize,
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
        let name = name_length(rest);
        if rest.starts_with('$') {
            text.push('$');
            at = dollar + 2;
        } else if let Some(inner) = rest.strip_prefix('{') {
            let Some(length) = closing_brace(inner) else {
                let line = rest.split('\n').next().map_or(0, str::len);
                out.faults.push(Fault { range: place(line + 1), reason: Reason::Unclosed });
                return text;
            };
            let expression = Expression { text: &inner[..length], range: place(length + 3), depth };
            text.push_str(&expression.value(lookup, out));
            at = dollar + length + 3;
        } else if name > 0 {
            text.push_str(&plain(&rest[..name], place(name + 1), lookup, out));
            at = dollar + 1 + name;
        } else {
            // A `$` before anything else stands for itself.
            text.push('$');
            at = dollar + 1;
        }
        let counted_out = out.expressions >= MAX_EXPRESSIONS && !out.faults.is_empty();
        if counted_out {
            return text;
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
        let Some(kind) = operator.chars().next().filter(|kind| "-?+".contains(*kind)) else {
            return self.fault(Reason::BadOperator, out);
        };
        if out.expressions >= MAX_EXPRESSIONS {
            return self.fault(Reason::Limit("MAX_EXPRESSIONS"), out);
        }
        out.expressions += 1;
        // `${`, the name, perhaps `:`, and the operator stand before the word, which Compose fills in even when it is
        // not needed: a variable that must be set in there must be set.
        let word_offset = self.range.start + 2 + self.text.len() - operator.len() + 1;
        let mut aside = Expanded { expressions: out.expressions, ..Expanded::default() };
        let word = expand_into(&operator[1..], word_offset, self.depth + 1, lookup, &mut aside);
        out.expressions = aside.expressions;
        out.faults.append(&mut aside.faults);
        out.unset.append(&mut aside.unset);
        let value = lookup(name).filter(|value| !(empty_is_unset && value.is_empty()));
        match (kind, value) {
            ('+', Some(_)) | ('-', None) => {
                if kind == '-' {
                    out.defaulted.push(name.to_owned());
                }
                out.used.append(&mut aside.used);
                out.defaulted.append(&mut aside.defaulted);
                word
            }
            ('+', None) => String::new(),
            (_, Some(value)) => {
                out.used.push((name.to_owned(), self.range));
                value
            }
            (_, None) => self.fault(Reason::Required { name: name.to_owned(), message: word }, out),
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

/// A variable that a template names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) default: String,
    pub(crate) alternate: String,
}

/// The variables that a template names, those inside defaults too, in order.
pub(crate) fn mentions(template: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    collect(template, 0, &mut found);
    found
}

fn collect(template: &str, depth: usize, found: &mut Vec<Mention>) {
    let mut rest = template;
    while let Some(dollar) = rest.find('$').filter(|_| depth <= MAX_NESTING) {
        rest = &rest[dollar + 1..];
        let length = name_length(rest);
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('{') {
            let Some(end) = closing_brace(inner) else { return };
            let (name, word) = inner[..end].split_at(name_length(&inner[..end]));
            rest = &inner[end + 1..];
            let word = word.strip_prefix(':').unwrap_or(word);
            let mut mention = Mention { name: name.to_owned(), ..Mention::default() };
            let said = word.get(1..).unwrap_or_default();
            match word.chars().next() {
                Some('?') => mention.required = true,
                Some('-') => said.clone_into(&mut mention.default),
                Some('+') => said.clone_into(&mut mention.alternate),
                _ => {}
            }
            if !name.is_empty() {
                found.push(mention);
                collect(said, depth + 1, found);
            }
        } else if length > 0 {
            found.push(Mention { name: rest[..length].to_owned(), ..Mention::default() });
            rest = &rest[length..];
        }
    }
}

/// How many bytes of a text are a variable's name.
pub(crate) fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())
}

/// Where the `}` stands that belongs to a `${` just before the text. As Compose reads it: an expression ends on its own
/// line, braces inside it are counted, and where the count never comes out even it is the line's last `}`.
fn closing_brace(text: &str) -> Option<usize> {
    let line = text.split('\n').next().unwrap_or_default();
    let operator = line.get(name_length(line)..).unwrap_or_default();
    if !operator.trim_start_matches(':').starts_with(['-', '+', '?']) {
        return line.find('}');
    }
    let bytes = line.as_bytes();
    let mut open = 1;
    let mut index = 0;
    while index < bytes.len() {
        match bytes[index] {
            b'}' => open -= 1,
            b'{' => {
                open += 1;
                // What follows a `{` is not looked at.
                index += 1;
            }
            _ => {}
        }
        if open == 0 {
            return Some(index);
        }
        index += 1;
    }
    line.rfind('}')
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
            (r#"${NO:-{"a":1}}"#, r#"{"a":1}"#),
            ("${NO:-{}}", "{}"),
            ("${NO:-a} and ${SET}", "a and value"),
            ("$(SET) $1 a$", "$(SET) $1 a$"),
            ("${NO}|$NO", "|"),
            ("é${SET}é", "évalueé"),
        ];
        for (template, wanted) in cases {
            assert_eq!(text(template), wanted, "{template}");
        }
    }

    #[test]
    fn a_default_that_is_not_needed_is_looked_at_all_the_same() {
        assert!(matches!(expand("${SET:-${NO:?always}}", &lookup).faults[0].reason, Reason::Required { .. }));
    }

    #[test]
    fn faults_have_their_place() {
        let faults = |template: &str| expand(template, &lookup).faults;
        assert_eq!(faults("a${SET:-x\ny}"), [Fault { range: 1..9, reason: Reason::Unclosed }]);
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
