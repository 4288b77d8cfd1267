//! Compares a tree with what the specification allows, and says what stands in the way.

use crate::load::report::Report;
use crate::load::scalar;
use crate::load::schema::{Form, Object, Shape};
use crate::{Bytes, Cpus, Entry, Node, Problem, ProblemKind, ScalarStyle, Tag, Value, parse_duration};

/// The most known words that an unknown one is compared with: a project may have thousands of services.
const MAX_COMPARED: usize = 200;

/// How near, from 0 to 1, a known key must be to an unknown one to be suggested.
const NEAR: f64 = 0.75;

/// Checks a tree against an object; `path` names the place in messages.
pub(crate) fn object(node: &Node, object: &'static Object, path: &str, report: &mut Report) {
    let Value::Mapping(entries) = &node.value else {
        return wrong_type(node, "a map", path, report);
    };
    for Entry { key, node } in entries {
        let inner = join(path, &key.value);
        match object.key(&key.value) {
            Some(found) => shape(node, found, &inner, report),
            None if report.is_full() => {}
            None => report.problem(unknown_key(key.span, &key.value, object)),
        }
    }
}

fn unknown_key(span: crate::Span, key: &str, object: &Object) -> Problem {
    let message = format!("`{key}` is not a key of {}.", object.name);
    let problem = Problem::at(ProblemKind::UnknownKey, span, message);
    match nearest(key, object.keys.iter().map(|(name, _)| *name)) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None if object.extensible => {
            problem.hint("remove it; a key of your own must begin with `x-`".to_owned())
        }
        None => problem.hint(format!("known here: {}", list(object.keys.iter().map(|(name, _)| *name)))),
    }
}

/// The known word nearest to `word`, if any is near.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase().replace('-', "_");
    let score = |name: &'a str| {
        let plain = name.replace('-', "_");
        // In a short word one slip is a large share of it.
        let one_slip = word.len() > 1 && strsim::damerau_levenshtein(&word, &plain) == 1;
        let alike =
            strsim::jaro_winkler(&word, &plain).max(strsim::normalized_damerau_levenshtein(&word, &plain));
        (if one_slip { alike.max(NEAR) } else { alike }, name)
    };
    let best = known.take(MAX_COMPARED).map(score).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= NEAR).then_some(best.1)
}

/// Words as `a`, `b`, `c` in backticks.
pub(crate) fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn shape(node: &Node, wanted: &'static Shape, path: &str, report: &mut Report) {
    // Nothing is allowed everywhere, as the absence of the key; what is reset is not read.
    let template = report.templates_stay && node.text().is_some_and(|text| text.contains('$'));
    if node.is_null() || node.tag == Some(Tag::Reset) || template {
        return;
    }
    match wanted {
        Shape::Any => {}
        Shape::List(inner) => match &node.value {
            Value::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    shape(item, inner, &format!("{path}[{index}]"), report);
                }
            }
            _ => wrong_type(node, "a list", path, report),
        },
        Shape::Map(inner) => match &node.value {
            Value::Mapping(entries) => {
                for Entry { key, node } in entries {
                    if !key.value.starts_with("x-") || !matches!(inner, Shape::Object(_)) {
                        shape(node, inner, &join(path, &key.value), report);
                    }
                }
            }
            _ => wrong_type(node, "a map", path, report),
        },
        Shape::Object(inner) => object(node, inner, path, report),
        Shape::Either(choices) => match choices.iter().find(|choice| fits(node, choice)) {
            Some(choice) => shape(node, choice, path, report),
            None => wrong_type(node, &alternatives(choices), path, report),
        },
        _ => scalar_shape(node, wanted, path, report),
    }
}

fn scalar_shape(node: &Node, wanted: &'static Shape, path: &str, report: &mut Report) {
    let Value::Scalar(scalar) = &node.value else {
        return wrong_type(node, name(wanted), path, report);
    };
    if accepts(&scalar.text, scalar.style, wanted) {
        return;
    }
    let key = path.rsplit('.').next().unwrap_or(path);
    match wanted {
        Shape::Text => {
            let message =
                format!("`{path}` needs a text, and `{}` is {}.", scalar.text, plain_name(&scalar.text));
            let hint = format!("put it in quotes: `\"{}\"`", scalar.text);
            report.problem(Problem::at(ProblemKind::WrongType, node.span, message).hint(hint));
        }
        Shape::Choice(words) | Shape::Known(words) => {
            let message = format!("`{}` is not allowed for `{key}`.", scalar.text);
            let near = nearest(&scalar.text, words.iter().copied());
            let hint = near.map_or_else(
                || format!("write one of {}", list(words.iter().copied())),
                |near| format!("did you mean `{near}`?"),
            );
            let problem = Problem::at(ProblemKind::InvalidValue, node.span, message).hint(hint);
            if matches!(wanted, Shape::Known(_)) { report.doubt(problem) } else { report.problem(problem) }
        }
        Shape::Form(_) | Shape::Processors | Shape::Size | Shape::Duration => {
            let message = format!("`{}` is not allowed for `{key}`.", scalar.text);
            let problem = Problem::at(ProblemKind::InvalidValue, node.span, message);
            let problem = problem.hint(format!("write {}", name(wanted)));
            let enforced = !matches!(wanted, Shape::Form(Form { enforced: false, .. }));
            if enforced { report.problem(problem) } else { report.doubt(problem) }
        }
        _ => wrong_type(node, name(wanted), path, report),
    }
}

/// Whether the text of a scalar is what a shape wants.
pub(crate) fn accepts(text: &str, style: ScalarStyle, wanted: &Shape) -> bool {
    match wanted {
        Shape::Text => style == ScalarStyle::Quoted || !is_typed(text),
        Shape::Boolean => scalar::boolean(text).is_some(),
        Shape::Integer => scalar::integer(text).is_some(),
        Shape::Number => scalar::integer(text).is_some() || scalar::float(text).is_some(),
        Shape::Processors => Cpus::parse(text).is_ok(),
        Shape::Size => text == "-1" || Bytes::parse(text).is_ok(),
        Shape::Duration => parse_duration(text).is_ok(),
        Shape::Choice(words) | Shape::Known(words) => words.contains(&text),
        Shape::Form(form) => (form.accepts)(text),
        Shape::Any | Shape::Plain => true,
        Shape::Either(choices) => choices.iter().any(|choice| accepts(text, style, choice)),
        Shape::List(_) | Shape::Map(_) | Shape::Object(_) => false,
    }
}

/// Whether a node is of the sort that a shape is about; for scalars, whether it is accepted.
pub(crate) fn fits(node: &Node, wanted: &Shape) -> bool {
    match (&node.value, wanted) {
        (_, Shape::Any) | (Value::Null, _) => true,
        (_, Shape::Either(choices)) => choices.iter().any(|choice| fits(node, choice)),
        (Value::Sequence(_), Shape::List(_)) => true,
        (Value::Mapping(_), Shape::Map(_) | Shape::Object(_)) => true,
        (Value::Scalar(scalar), wanted) => accepts(&scalar.text, scalar.style, wanted),
        _ => false,
    }
}

/// Whether YAML takes a plain scalar for a number or a boolean.
pub(crate) fn is_typed(text: &str) -> bool {
    scalar::integer(text).is_some()
        || scalar::float(text).is_some()
        || matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
}

fn plain_name(text: &str) -> &'static str {
    if scalar::integer(text).is_some() || scalar::float(text).is_some() { "a number" } else { "a boolean" }
}

fn wrong_type(node: &Node, wanted: &str, path: &str, report: &mut Report) {
    let found = match &node.value {
        Value::Null => "empty".to_owned(),
        // What was quoted or filled in from a variable may be secret; the excerpt shows what was written.
        Value::Scalar(scalar) if scalar.style == ScalarStyle::Quoted => "a text".to_owned(),
        Value::Scalar(scalar) => format!("`{}`", scalar.text),
        Value::Sequence(_) => "a list".to_owned(),
        Value::Mapping(_) => "a map".to_owned(),
    };
    let place = if path.is_empty() { "The file".to_owned() } else { format!("`{path}`") };
    let message = format!("{place} needs {wanted}, and is {found}.");
    report.problem(
        Problem::at(ProblemKind::WrongType, node.span, message).hint(format!("write {wanted} here")),
    );
}

fn name(wanted: &Shape) -> &'static str {
    match wanted {
        Shape::Any | Shape::Plain | Shape::Text => "a text",
        Shape::Boolean => "`true` or `false`",
        Shape::Integer => "a whole number",
        Shape::Number => "a number",
        Shape::Processors => "a number of processors such as `0.5`",
        Shape::Size => "a size such as `512m` or `1gb`",
        Shape::Duration => "a duration such as `30s` or `1m30s`",
        Shape::Choice(_) | Shape::Known(_) => "one of a few words",
        Shape::Form(form) => form.expected,
        Shape::List(_) => "a list",
        Shape::Map(_) | Shape::Object(_) => "a map",
        Shape::Either(_) => "another form",
    }
}

fn alternatives(choices: &[Shape]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for choice in choices {
        if !names.contains(&name(choice)) {
            names.push(name(choice));
        }
    }
    names.join(" or ")
}
