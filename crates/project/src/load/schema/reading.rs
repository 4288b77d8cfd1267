//! Reads one scalar as its shape wants it, in the one spelling that later phases know.

use super::{Fractions, Number, Shape, Size, Texts};
use crate::load::scalar::{self, Type, type_of};
use crate::quantity::{duration_text as duration, signed_bytes, signed_nanoseconds, text_float};
use crate::{Scalar, ScalarStyle, parse_duration};

/// The scalar as Compose reads it; `None` when the shape does not allow it.
pub(crate) fn read(scalar: &Scalar, shape: &Shape) -> Option<Scalar> {
    let text = &scalar.text;
    let kind = type_of(scalar);
    match shape {
        Shape::Any => Some(anything(scalar)),
        Shape::Text | Shape::Choice(_) | Shape::Known(_) if kind != Type::Text => None,
        Shape::Choice(words) if !words.contains(&text.as_str()) => None,
        Shape::Text | Shape::Choice(_) | Shape::Known(_) => Some(quoted(text.clone())),
        Shape::Plain => (kind != Type::Date).then(|| quoted(scalar::normal(scalar))),
        Shape::Of(types) => types.contains(&kind).then(|| quoted(scalar::normal(scalar))),
        Shape::Boolean => {
            let said = matches!(kind, Type::Text | Type::Boolean).then(|| scalar::boolean(text)).flatten()?;
            Some(plain(said.to_string()))
        }
        Shape::Truth => (kind == Type::Boolean).then(|| plain(text.to_ascii_lowercase())),
        Shape::Number(wanted) => number(scalar, wanted).map(plain),
        Shape::Processors => processors(scalar).map(plain),
        Shape::Size(size) => bytes(scalar, *size).map(|bytes| quoted(bytes.to_string())),
        Shape::Duration | Shape::Delay if kind == Type::Text => {
            Some(quoted(duration(signed_nanoseconds(text)?)))
        }
        Shape::OwnDuration => {
            let nanoseconds = parse_duration(text).ok()?.as_nanos();
            Some(quoted(duration(i64::try_from(nanoseconds).ok()?)))
        }
        Shape::Mode => mode(scalar).map(|mode| quoted(format!("0{mode:o}"))),
        Shape::Form(form) => {
            let text = scalar::normal(scalar);
            (form.types.contains(&kind) && (!form.enforced || (form.accepts)(&text))).then(|| quoted(text))
        }
        Shape::Maybe(inner) => read(scalar, inner),
        Shape::Either(choices) => choices.iter().find_map(|choice| read(scalar, choice)),
        _ => None,
    }
}

/// Whether Compose loads a scalar that it accepted though no engine takes it.
pub(crate) fn is_doubtful(read: &Scalar, written: &Scalar, shape: &Shape) -> bool {
    match shape {
        Shape::Known(words) => !words.contains(&read.text.as_str()),
        Shape::Form(form) => !form.enforced && !(form.accepts)(&read.text),
        Shape::Number(Number { usual: Some((least, most)), .. }) => {
            read.text.parse::<i64>().is_ok_and(|value| !(*least..=*most).contains(&value))
        }
        Shape::Processors | Shape::Duration | Shape::Delay => read.text.starts_with('-'),
        Shape::Size(_) => {
            (read.text.starts_with('-') && read.text != "-1") || type_of(written) == Type::Fraction
        }
        _ => false,
    }
}

fn plain(text: String) -> Scalar {
    Scalar { text, style: ScalarStyle::Plain }
}

fn quoted(text: String) -> Scalar {
    Scalar { text, style: ScalarStyle::Quoted }
}

/// What nobody knows the type of stays what YAML takes it for.
fn anything(scalar: &Scalar) -> Scalar {
    match type_of(scalar) {
        Type::Text => quoted(scalar.text.clone()),
        Type::Date => quoted(scalar::date(&scalar.text).unwrap_or_else(|| scalar.text.clone())),
        _ => scalar.clone(),
    }
}

fn number(scalar: &Scalar, wanted: &Number) -> Option<String> {
    let text = &scalar.text;
    let (whole, fraction) = match (type_of(scalar), wanted.texts) {
        (Type::Integer, _) => (scalar::integer(text), None),
        (Type::Fraction, _) => (None, scalar::float(text)),
        (Type::Text, Texts::Whole) => (text.parse::<i64>().ok().map(i128::from), None),
        (Type::Text, Texts::Fraction) => (None, text_float(text)),
        _ => (None, None),
    };
    let value = match (whole, fraction.filter(|value| value.is_finite())) {
        (Some(whole), _) => i64::try_from(whole).ok()?,
        (None, Some(fraction)) => match wanted.fractions {
            Fractions::Never => return None,
            Fractions::Whole if fraction.fract() != 0.0 => return None,
            Fractions::Kept if fraction.fract() != 0.0 || fraction.abs() >= i64::MAX as f64 => {
                return Some((fraction as f32).to_string());
            }
            _ if fraction.abs() < i64::MAX as f64 => fraction.trunc() as i64,
            _ => return None,
        },
        (None, None) => return None,
    };
    (wanted.least..=wanted.most).contains(&value).then(|| value.to_string())
}

/// A number of processors in single precision, as Compose keeps it.
fn processors(scalar: &Scalar) -> Option<String> {
    let value = match type_of(scalar) {
        Type::Integer => scalar::integer(&scalar.text)? as f64,
        Type::Fraction => scalar::float(&scalar.text)?,
        Type::Text => text_float(&scalar.text)?,
        _ => return None,
    };
    (value as f32).is_finite().then(|| (value as f32).to_string())
}

fn bytes(scalar: &Scalar, size: Size) -> Option<i64> {
    match type_of(scalar) {
        Type::Text => signed_bytes(&scalar.text),
        Type::Integer if size != Size::Text => {
            let bytes = i64::try_from(scalar::integer(&scalar.text)?).ok()?;
            (size != Size::Natural || bytes >= 0).then_some(bytes)
        }
        // Compose pays no attention to a number that YAML takes for one with a fraction.
        Type::Fraction => {
            let whole = scalar::float(&scalar.text)?.fract() == 0.0;
            (size == Size::Number || (whole && size != Size::Text)).then_some(0)
        }
        _ => None,
    }
}

fn mode(scalar: &Scalar) -> Option<i64> {
    let mode = match type_of(scalar) {
        Type::Text => i64::from_str_radix(&scalar.text, 8).ok()?,
        Type::Integer => i64::try_from(scalar::integer(&scalar.text)?).ok()?,
        _ => return None,
    };
    (0..=0o7777).contains(&mode).then_some(mode)
}
