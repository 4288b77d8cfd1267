//! Quantities with their unit: sizes in bytes, processors, durations.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// A share of processors, in thousandths of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cpus {
    /// 1000 is one whole processor.
    pub millis: u64,
}

/// Why a quantity could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct QuantityError {
    /// The text.
    pub text: String,
    /// What it should have been, with an example.
    pub expected: &'static str,
}

impl Bytes {
    /// Reads `512m`, `1.5gb`, `64KiB`, `300MB`, `1024`: units are powers of 1024, as Compose reads them
    /// (Compose Specification, "Specifying byte values").
    ///
    /// # Errors
    /// When the text is not a size.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let error = || QuantityError { text: text.to_owned(), expected: "a size such as `512m` or `1gb`" };
        signed_bytes(text).and_then(|bytes| u64::try_from(bytes).ok()).map(Self).ok_or_else(error)
    }
}

/// A number in a text as Compose reads it: with `_` between digits.
pub(crate) fn text_float(text: &str) -> Option<f64> {
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    let between = |index: usize| index > 0 && digit(bytes.get(index - 1)) && digit(bytes.get(index + 1));
    if text.match_indices('_').any(|(index, _)| !between(index)) {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// A size as Compose reads a text: a number, at most one space, a unit.
pub(crate) fn signed_bytes(text: &str) -> Option<i64> {
    let last = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ')?;
    let (number, unit) = match text[last..].strip_prefix(' ') {
        Some(unit) => (&text[..last], unit),
        None => text.split_at(last + 1),
    };
    let number = text_float(number)?;
    let scale: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        "p" | "pb" | "pib" => 1 << 50,
        _ => return None,
    };
    let bytes = number * scale as f64;
    (bytes >= 0.0 && bytes < i64::MAX as f64).then_some(bytes as i64)
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match units.iter().find(|(scale, _)| self.0 >= *scale) {
            Some((scale, unit)) if self.0.is_multiple_of(*scale) => write!(f, "{} {unit}", self.0 / scale),
            Some((scale, unit)) => write!(f, "{:.1} {unit}", self.0 as f64 / *scale as f64),
            None => write!(f, "{} B", self.0),
        }
    }
}

impl Cpus {
    /// Reads `0.5` or `2`.
    ///
    /// # Errors
    /// When the text is not a number of processors of 0 or more.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let error =
            || QuantityError { text: text.to_owned(), expected: "a number of processors such as `0.5`" };
        let number: f64 = text.trim().parse().map_err(|_| error())?;
        if number.is_finite() && (0.0..1e9).contains(&number) {
            Ok(Self { millis: (number * 1000.0).round() as u64 })
        } else {
            Err(error())
        }
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.millis as f64 / 1000.0)
    }
}

/// Reads `1m30s`, `90s`, `500ms`, `2h`, `10min`, `3d`, or a bare number of seconds (Compose Specification,
/// "Specifying durations"; `min` and bare numbers are ours, for `x-seaworthy`).
///
/// # Errors
/// When the text is not a duration.
pub fn parse_duration(text: &str) -> Result<Duration, QuantityError> {
    let error = || QuantityError { text: text.to_owned(), expected: "a duration such as `30s` or `1m30s`" };
    let nanoseconds = parts(text.trim(), true).and_then(|value| u64::try_from(value).ok());
    nanoseconds.map(Duration::from_nanos).ok_or_else(error)
}

/// A duration as Compose reads it, in nanoseconds: each number with its unit, perhaps a sign in front.
pub(crate) fn signed_nanoseconds(text: &str) -> Option<i64> {
    let (negative, rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let value = i64::try_from(parts(rest, false)?).ok()?;
    Some(if negative { -value } else { value })
}

/// The sum of numbers with their units, in nanoseconds. `ours` allows what Compose does not know.
fn parts(text: &str, ours: bool) -> Option<u128> {
    if text.is_empty() {
        return None;
    }
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let (mut rest, mut sum) = (text, 0u128);
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c| !is_number(c)).unwrap_or(rest.len()));
        let (unit, after) = after.split_at(after.find(is_number).unwrap_or(after.len()));
        let nanoseconds: u64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            "w" => 604_800_000_000_000,
            "" if ours => 1_000_000_000,
            "min" if ours => 60_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let fraction: f64 = if fraction.is_empty() { 0.0 } else { format!("0.{fraction}").parse().ok()? };
        sum += u128::from(whole) * u128::from(nanoseconds) + (fraction * nanoseconds as f64) as u128;
        rest = after;
    }
    (sum <= i64::MAX as u128).then_some(sum)
}

/// A duration as Compose prints it: `1m30s`, `1h0m0s`, `1.5s`, `500ms`, `2µs`.
pub(crate) fn duration_text(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let all = nanoseconds.unsigned_abs();
    let part = |value: u64, unit: u64, name: &str| {
        let fraction = format!("{:0width$}", value % unit, width = unit.ilog10() as usize);
        match fraction.trim_end_matches('0') {
            "" => format!("{sign}{}{name}", value / unit),
            fraction => format!("{sign}{}.{fraction}{name}", value / unit),
        }
    };
    match all {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{all}ns"),
        1_000..1_000_000 => part(all, 1_000, "µs"),
        1_000_000..1_000_000_000 => part(all, 1_000_000, "ms"),
        1_000_000_000..60_000_000_000 => part(all, 1_000_000_000, "s"),
        _ => {
            let minutes = all / 60_000_000_000;
            let seconds = part(all % 60_000_000_000, 1_000_000_000, "s");
            let seconds = seconds.trim_start_matches('-');
            match minutes / 60 {
                0 => format!("{sign}{minutes}m{seconds}"),
                hours => format!("{sign}{hours}h{}m{seconds}", minutes % 60),
            }
        }
    }
}
