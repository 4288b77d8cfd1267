//! What YAML takes a scalar for, and what its text means once its key asks for a number or a boolean.

use crate::{Scalar, ScalarStyle};

/// What YAML takes a scalar for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    Boolean,
    Integer,
    /// A number with a point or an exponent, or one too large for an integer.
    Fraction,
    /// A date or a time.
    Date,
}

/// What YAML takes a scalar for.
pub(crate) fn type_of(scalar: &Scalar) -> Type {
    let text = &scalar.text;
    match scalar.style {
        ScalarStyle::Quoted => Type::Text,
        ScalarStyle::Plain if integer(text).is_some() => Type::Integer,
        ScalarStyle::Plain if float(text).is_some() => Type::Fraction,
        ScalarStyle::Plain
            if matches!(text.as_str(), "true" | "True" | "TRUE" | "false" | "False" | "FALSE") =>
        {
            Type::Boolean
        }
        ScalarStyle::Plain if date(text).is_some() => Type::Date,
        ScalarStyle::Plain => Type::Text,
    }
}

/// The text of a scalar where a text is wanted: `0x10` becomes `16` and `1.50` becomes `1.5`, as Compose prints them.
pub(crate) fn normal(scalar: &Scalar) -> String {
    let text = &scalar.text;
    match type_of(scalar) {
        Type::Text | Type::Date => text.clone(),
        Type::Boolean => text.to_ascii_lowercase(),
        Type::Integer | Type::Fraction => integer(text)
            .map(|value| value.to_string())
            .or_else(|| float(text).map(float_text))
            .unwrap_or_else(|| text.clone()),
    }
}

/// A plain date or time as Compose prints it (RFC 3339); `None` when YAML does not take the text for one.
pub(crate) fn date(text: &str) -> Option<String> {
    let (day, time) = match text.find(['T', 't', ' ']) {
        Some(index) => (text.get(..index)?, Some(text.get(index + 1..)?)),
        None => (text, None),
    };
    let numbers = |text: &str, between: char, limits: [(u32, u32); 3]| -> Option<[u32; 3]> {
        let parts: Vec<&str> = text.split(between).collect();
        let [a, b, c] = parts.as_slice() else { return None };
        let read = |part: &str, (least, most): (u32, u32)| {
            let digits =
                !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse().ok().filter(|value| digits && (least..=most).contains(value))
        };
        Some([read(a, limits[0])?, read(b, limits[1])?, read(c, limits[2])?])
    };
    let [year, month, of_month] = numbers(day, '-', [(0, 9999), (1, 12), (1, 31)])?;
    if day.find('-') != Some(4) {
        return None;
    }
    let Some(time) = time else { return Some(format!("{year:04}-{month:02}-{of_month:02}T00:00:00Z")) };
    let end = time.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(time.len());
    let (clock, zone) = time.split_at(end);
    let (clock, fraction) = clock.split_once('.').map_or((clock, ""), |(clock, fraction)| (clock, fraction));
    let [hour, minute, second] = numbers(clock, ':', [(0, 23), (0, 59), (0, 59)])?;
    let spaced = text.contains(' ');
    let zone = match zone {
        "" if spaced => "Z",
        "Z" if !spaced => "Z",
        zone if !spaced && zone.len() == 6 && zone.starts_with(['+', '-']) => zone,
        _ => return None,
    };
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!(
        "{year:04}-{month:02}-{of_month:02}T{hour:02}:{minute:02}:{second:02}{point}{fraction}{zone}"
    ))
}

/// The value of an integer as Compose reads YAML: decimal, `0x`, `0o`, `0b`, a leading `0` for octal, with `_` between
/// digits.
pub(crate) fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let digits = digits.replace('_', "");
    let value = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => unsigned(&digits[2..], 16),
        Some("0o") => unsigned(&digits[2..], 8),
        Some("0b") => unsigned(&digits[2..], 2),
        Some(two) if two.starts_with('0') => unsigned(&digits, 8),
        _ => unsigned(&digits, 10),
    };
    let limit = if negative { i128::from(i64::MIN).abs() } else { i128::from(u64::MAX) };
    let value = value.filter(|value| *value <= limit)?;
    Some(if negative { -value } else { value })
}

/// Digits alone: a second sign makes it no number.
fn unsigned(digits: &str, radix: u32) -> Option<i128> {
    let all = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    all.then(|| i128::from_str_radix(digits, radix).ok()).flatten()
}

/// The value of a number that is no integer, when it is written as one.
pub(crate) fn float(text: &str) -> Option<f64> {
    match text.trim_start_matches('+') {
        ".inf" | ".Inf" | ".INF" => return Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Some(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    let text = text.replace('_', "");
    let digits = text.strip_prefix(['-', '+']).unwrap_or(&text);
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let number = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let shape = number(whole)
        && number(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && !exponent.is_empty()
        && number(exponent);
    shape.then(|| text.parse().ok()).flatten().filter(|value: &f64| value.is_finite())
}

/// A number with a fraction or exponent as Compose writes it in a text: `1.5`, `1e+06`, `1e-05`.
pub(crate) fn float_text(value: f64) -> String {
    if !value.is_finite() {
        let text = if value.is_nan() { "NaN" } else { "+Inf" };
        return if value == f64::NEG_INFINITY { "-Inf".to_owned() } else { text.to_owned() };
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value == 0.0 || (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// The value of a boolean, in the spellings that Compose accepts.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "y" | "yes" | "on" => Some(true),
        "false" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_compose_reads_them() {
        let integers = [("010", Some(8)), ("0o17", Some(15)), ("1_000", Some(1000)), ("-0x10", Some(-16))];
        for (text, wanted) in integers {
            assert_eq!(integer(text), wanted, "{text}");
        }
        for text in ["08", "0x", "+-1", "1.0", "a", ""] {
            assert_eq!(integer(text), None, "{text}");
        }
        assert_eq!(
            ["08", "1.", ".5", "1e3", "1e"].map(float),
            [Some(8.0), Some(1.0), Some(0.5), Some(1e3), None]
        );
    }

    #[test]
    fn numbers_in_texts_are_written_as_compose_writes_them() {
        let seen = [1.0, 1.10, 1e5, 1e6, 0.0001, 0.00001, -2.5e30].map(float_text);
        assert_eq!(seen, ["1", "1.1", "100000", "1e+06", "0.0001", "1e-05", "-2.5e+30"]);
    }

    #[test]
    fn dates_are_told_from_texts() {
        let seen =
            ["2001-12-14", "2001-12-14T21:59:43.10-05:00", "2001-1-2 3:4:5", "2001-13-01", "1-2-3"].map(date);
        let wanted = ["2001-12-14T00:00:00Z", "2001-12-14T21:59:43.1-05:00", "2001-01-02T03:04:05Z"];
        assert_eq!(seen.map(Option::unwrap_or_default), [wanted[0], wanted[1], wanted[2], "", ""]);
    }
}
