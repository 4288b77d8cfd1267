//! A value that never shows itself.

use std::fmt;

use zeroize::Zeroizing;

/// A secret value: redacted in debug and display output, wiped when dropped, compared in constant time.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The value itself, for the one place that must have it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `offered` is the secret; an empty secret matches nothing. The time it takes tells nothing about where they differ.
    pub fn matches(&self, offered: &str) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), offered.as_bytes());
        let difference = ours.iter().enumerate().fold(ours.len() ^ theirs.len(), |sum, (index, byte)| {
            sum | usize::from(byte ^ theirs.get(index).copied().unwrap_or(0))
        });
        std::hint::black_box(difference) == 0 && !ours.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_shows_itself() {
        let secret = Secret::new("canary");
        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            "[redacted] [redacted] Some([redacted])"
        );
        assert_eq!(secret.reveal(), "canary");
    }

    #[test]
    fn only_the_very_same_matches() {
        let secret = Secret::new("canary");
        assert!(secret.matches("canary"));
        for other in ["", "canar", "canary!", "canarY", "\0\0\0\0\0\0"] {
            assert!(!secret.matches(other), "{other:?}");
        }
        assert!(!Secret::new("").matches(""));
    }
}
