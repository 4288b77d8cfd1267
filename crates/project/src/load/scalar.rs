//! What the text of a scalar means once the key it stands under asks for a number or a boolean.

/// The value of an integer: decimal, `0x`, `0o`, `0b`, a leading `0` for octal, with `_` between digits.
pub(crate) fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || digits.ends_with('_') {
        return None;
    }
    let digits = digits.replace('_', "");
    let value = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => i128::from_str_radix(&digits[2..], 16),
        Some("0o") => i128::from_str_radix(&digits[2..], 8),
        Some("0b") => i128::from_str_radix(&digits[2..], 2),
        Some(two) if two.starts_with('0') => i128::from_str_radix(&digits, 8),
        _ => digits.parse(),
    };
    let value = value.ok().filter(|value| *value <= i128::from(u64::MAX))?;
    Some(if negative { -value } else { value })
}

/// The value of a number that is no integer, when it is written as one.
pub(crate) fn float(text: &str) -> Option<f64> {
    let digits = text.trim_start_matches(['-', '+']);
    let shape = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit())
        && digits.contains(['.', 'e', 'E'])
        && digits.chars().all(|c| c.is_ascii_digit() || ".eE+-".contains(c));
    text.parse().ok().filter(|value: &f64| shape && value.is_finite())
}

/// The value of a boolean, in the spellings that Compose accepts.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "y" | "yes" | "on" | "1" => Some(true),
        "false" | "n" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}
