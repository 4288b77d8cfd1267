//! What the text of a scalar means once the key it stands under asks for a number or a boolean.

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

/// A number with a fraction or exponent as Compose writes it in a text: `1.5`, `1e+21`, `1e-05`.
pub(crate) fn float_text(value: f64) -> String {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value == 0.0 || (-4..21).contains(&exponent) {
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
        let seen = [1.0, 1.10, 1e20, 1e21, 0.0001, 0.00001, -2.5e30].map(float_text);
        assert_eq!(seen, ["1", "1.1", "100000000000000000000", "1e+21", "0.0001", "1e-05", "-2.5e+30"]);
    }
}
