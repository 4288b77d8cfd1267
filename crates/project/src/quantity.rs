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
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(trimmed.len());
        let number: f64 = trimmed[..split].parse().map_err(|_| error())?;
        let scale: u64 = match trimmed[split..].trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kb" | "kib" => 1 << 10,
            "m" | "mb" | "mib" => 1 << 20,
            "g" | "gb" | "gib" => 1 << 30,
            "t" | "tb" | "tib" => 1 << 40,
            "p" | "pb" | "pib" => 1 << 50,
            _ => return Err(error()),
        };
        let bytes = number * scale as f64;
        if bytes.is_finite() && bytes <= u64::MAX as f64 { Ok(Self(bytes as u64)) } else { Err(error()) }
    }
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
/// "Specifying durations"; `min` and `d` are ours, for `x-seaworthy`).
///
/// # Errors
/// When the text is not a duration.
pub fn parse_duration(text: &str) -> Result<Duration, QuantityError> {
    let error = || QuantityError { text: text.to_owned(), expected: "a duration such as `30s` or `1m30s`" };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(error());
    }
    let mut seconds = 0f64;
    while !rest.is_empty() {
        let split = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let number: f64 = rest[..split].parse().map_err(|_| error())?;
        rest = &rest[split..];
        let unit_end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        seconds += number
            * match &rest[..unit_end] {
                "" | "s" => 1.0,
                "us" | "µs" => 1e-6,
                "ms" => 1e-3,
                "m" | "min" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                _ => return Err(error()),
            };
        rest = &rest[unit_end..];
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| error())
}
