//! Compares a tree with what the specification allows, and says what stands in the way.

use super::complete::nothing;
use super::{Number, Object, Others, Shape, Size, reading, unique};
use crate::load::report::Report;
use crate::load::scalar::{Type, type_of};
use crate::{Entry, Node, Problem, ProblemKind, Scalar, ScalarStyle, Span, Tag, Value};

/// The most known words that an unknown one is compared with: a project may have thousands of services.
const MAX_COMPARED: usize = 200;

/// How near, from 0 to 1, a known key must be to an unknown one to be suggested.
const NEAR: f64 = 0.75;

/// Checks a tree against an object; `path` names the place in messages.
pub(crate) fn object(node: &Node, object: &'static Object, path: &str, report: &mut Report) {
    let Value::Mapping(entries) = &node.value else {
        return wrong_type(node, "a map", path, report);
    };
    // Outside of lists, other files may add what is missing here.
    if path.contains('[') {
        missing(node, object, path, report);
    }
    for Entry { key, node } in entries.iter().filter(|entry| entry.node.tag != Some(Tag::Reset)) {
        let inner = join(path, &key.value);
        match object.key(&key.value) {
            Some(found) => shape(node, found, &inner, report),
            None if report.is_full() => {}
            None if object.others == Others::Ignored => {
                report.doubt(unknown_key(key.span, &key.value, object))
            }
            None => report.problem(unknown_key(key.span, &key.value, object)),
        }
    }
}

/// Says which required keys are not there.
pub(super) fn missing(node: &Node, object: &Object, path: &str, report: &mut Report) {
    for key in object.required.iter().filter(|key| node.get(key).is_none()) {
        let place = if node.entries().is_empty() { node.span } else { node.entries()[0].key.span };
        let message = format!("`{path}` has no `{key}`.");
        let problem = Problem::at(ProblemKind::InvalidValue, place, message);
        report.problem(problem.hint(format!("add `{key}:`")));
    }
}

fn unknown_key(span: Span, key: &str, object: &Object) -> Problem {
    let message = format!("`{key}` is not a key of {}.", object.name);
    let problem = Problem::at(ProblemKind::UnknownKey, span, message);
    match nearest(key, object.keys.iter().map(|(name, _)| *name)) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None if object.others == Others::Extensions => {
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

pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn shape(node: &Node, wanted: &'static Shape, path: &str, report: &mut Report) {
    // Whether nothing may stand here shows when all files are merged; what is reset is not read.
    let template = report.templates_stay && node.text().is_some_and(|text| text.contains('$'));
    if node.is_null() || node.tag == Some(Tag::Reset) || template {
        if node.is_null() && node.tag.is_none() && matches!(path, "services" | "version") {
            empty(node, wanted, path, report);
        }
        return;
    }
    match wanted {
        Shape::Any => {}
        Shape::List(inner) | Shape::Unique(inner) => items(node, wanted, inner, path, report),
        Shape::Map(inner) | Shape::Named(inner) => map(node, wanted, inner, path, report),
        Shape::Object(inner) => object(node, inner, path, report),
        Shape::Maybe(inner) => shape(node, inner, path, report),
        Shape::Either(choices) => {
            let sort = || choices.iter().find(|choice| same_sort(node, choice));
            match choices.iter().find(|choice| fits(node, choice)).or_else(sort) {
                Some(choice) => shape(node, choice, path, report),
                None => wrong_type(node, &alternatives(choices), path, report),
            }
        }
        _ => scalar_shape(node, wanted, path, report),
    }
}

fn items(node: &Node, wanted: &Shape, inner: &'static Shape, path: &str, report: &mut Report) {
    let Value::Sequence(items) = &node.value else {
        return wrong_type(node, "a list", path, report);
    };
    for (index, item) in items.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if item.is_null() && item.tag.is_none() && !takes_nothing(inner) {
            empty(item, inner, &path, report);
        }
        shape(item, inner, &path, report);
    }
    if matches!(wanted, Shape::Unique(_)) {
        unique::repeated(items).into_iter().for_each(|(item, first)| twice(item, first, path, report));
    }
}

fn map(node: &Node, wanted: &Shape, inner: &'static Shape, path: &str, report: &mut Report) {
    let Value::Mapping(entries) = &node.value else {
        return wrong_type(node, "a map", path, report);
    };
    for Entry { key, node } in entries {
        let name = &key.value;
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let odd = name.is_empty() || (matches!(wanted, Shape::Named(_)) && !name.chars().all(letter));
        if odd && !report.written {
            let message = format!("`{name}` is no name for an entry of `{path}`.");
            let problem = Problem::at(ProblemKind::InvalidValue, key.span, message);
            report.problem(problem.hint("use letters, digits, `.`, `_` and `-`"));
        }
        let inner_path = join(path, name);
        // In canonical form these no longer show that nothing stood here.
        let lost = matches!(inner, Shape::Object(_) | Shape::Either(_))
            && !takes_nothing(inner)
            && path != "services"
            && node.tag.is_none();
        if node.is_null() && lost {
            empty(node, inner, &inner_path, report);
        }
        shape(node, inner, &inner_path, report);
    }
}

/// Says that an item stands twice in its list.
pub(super) fn twice(item: &Node, first: Span, path: &str, report: &mut Report) {
    // What was written out once came through this already; there `5` and `"5"` may have become the same.
    if report.written {
        return;
    }
    let message = format!("The same item stands twice in `{path}`.");
    let problem = Problem::at(ProblemKind::DuplicateKey, item.span, message);
    report.problem(problem.related(first, "first written here").hint("keep one of the two"));
}

/// Says that something must stand at a place.
pub(super) fn empty(node: &Node, wanted: &Shape, path: &str, report: &mut Report) {
    let wanted = match wanted {
        Shape::Either(choices) => alternatives(choices),
        wanted => name(wanted).to_owned(),
    };
    report.problem(nothing(node, path, &wanted));
}

/// Whether nothing may stand there.
pub(super) fn takes_nothing(wanted: &Shape) -> bool {
    match wanted {
        Shape::Any | Shape::Plain | Shape::Maybe(_) => true,
        Shape::Either(choices) => choices.iter().any(takes_nothing),
        _ => false,
    }
}

fn scalar_shape(node: &Node, wanted: &'static Shape, path: &str, report: &mut Report) {
    let Value::Scalar(scalar) = &node.value else {
        return wrong_type(node, name(wanted), path, report);
    };
    match reading::read(scalar, wanted) {
        Some(read) if reading::is_doubtful(&read, scalar, wanted) => {
            report.doubt(not_allowed(node, scalar, wanted, path));
        }
        Some(_) => {}
        // A negative size is written out as a text, which nobody else may do.
        None if report.written && matches!(wanted, Shape::Size(_)) && scalar.text.parse::<i64>().is_ok() => {}
        None => match wanted {
            Shape::Text | Shape::Known(_) | Shape::Form(_) | Shape::Choice(_)
                if type_of(scalar) != Type::Text =>
            {
                report.problem(needs_text(node, scalar, wanted, path));
            }
            Shape::Number(Number { .. }) | Shape::Boolean | Shape::Truth | Shape::Plain | Shape::Of(_) => {
                wrong_type(node, name(wanted), path, report);
            }
            _ => report.problem(not_allowed(node, scalar, wanted, path)),
        },
    }
}

fn needs_text(node: &Node, scalar: &Scalar, wanted: &Shape, path: &str) -> Problem {
    let found = match type_of(scalar) {
        Type::Integer | Type::Fraction => "a number",
        Type::Date => "a date",
        _ => "a boolean",
    };
    let message = format!("`{path}` needs a text, and `{}` is {found}.", scalar.text);
    let hint = match wanted {
        Shape::Text => format!("put it in quotes: `\"{}\"`", scalar.text),
        _ => format!("write {}", name(wanted)),
    };
    Problem::at(ProblemKind::WrongType, node.span, message).hint(hint)
}

fn not_allowed(node: &Node, scalar: &Scalar, wanted: &Shape, path: &str) -> Problem {
    let key = path.rsplit('.').next().unwrap_or(path);
    let message = format!("{} is not allowed for `{key}`.", node.quoted());
    let hint = match wanted {
        Shape::Choice(words) | Shape::Known(words) => match nearest(&scalar.text, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", list(words.iter().copied())),
        },
        _ => format!("write {}", name(wanted)),
    };
    Problem::at(ProblemKind::InvalidValue, node.span, message).hint(hint)
}

/// Whether a node is of the sort that a shape is about; for scalars, whether it is accepted.
pub(crate) fn fits(node: &Node, wanted: &Shape) -> bool {
    match (&node.value, wanted) {
        (_, Shape::Any) | (Value::Null, _) => true,
        (_, Shape::Maybe(inner)) => fits(node, inner),
        (_, Shape::Either(choices)) => choices.iter().any(|choice| fits(node, choice)),
        (Value::Scalar(scalar), wanted) => reading::read(scalar, wanted).is_some(),
        _ => same_sort(node, wanted),
    }
}

/// Whether a shape is about lists, maps or scalars, as the node is; of scalars only words, to name them.
fn same_sort(node: &Node, wanted: &Shape) -> bool {
    match (&node.value, wanted) {
        (Value::Sequence(_), Shape::List(_) | Shape::Unique(_)) => true,
        (Value::Mapping(_), Shape::Map(_) | Shape::Named(_) | Shape::Object(_)) => true,
        (Value::Scalar(_), Shape::Text | Shape::Choice(_)) => true,
        (_, Shape::Maybe(inner)) => same_sort(node, inner),
        _ => false,
    }
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
        Shape::Any | Shape::Plain | Shape::Text | Shape::Known(_) => "a text",
        Shape::Of(types) if types.contains(&Type::Boolean) => "a text, number or boolean",
        Shape::Of(_) => "a text or number",
        Shape::Boolean | Shape::Truth => "`true` or `false`",
        Shape::Number(number) => number.expected,
        Shape::Processors => "a number of processors such as `0.5`",
        Shape::Size(Size::Text) => "a size with its unit such as `512m` or `1gb`",
        Shape::Size(_) => "a size such as `512m` or `1gb`",
        Shape::Duration | Shape::Delay | Shape::OwnDuration => "a duration such as `30s` or `1m30s`",
        Shape::Mode => "permission bits such as `\"0440\"`",
        Shape::Choice(_) => "one of a few words",
        Shape::Form(form) => form.expected,
        Shape::List(_) | Shape::Unique(_) => "a list",
        Shape::Map(_) | Shape::Named(_) | Shape::Object(_) => "a map",
        Shape::Maybe(inner) => name(inner),
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
