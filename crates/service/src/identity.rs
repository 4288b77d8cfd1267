//! Random identifiers.

use std::sync::atomic::{AtomicU64, Ordering};

/// `N` random bytes as lower-case hexadecimal digits, never all zero.
pub(crate) fn random_hex<const N: usize>() -> String {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() || bytes.iter().all(|byte| *byte == 0) {
        // Identifiers only tell requests apart: without a source of randomness, counting does too.
        static COUNTER: AtomicU64 = AtomicU64::new(1);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.iter_mut().rev().zip(count.iter().rev()).for_each(|(byte, digit)| *byte = *digit);
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_differ_and_have_their_length() {
        let (one, other) = (random_hex::<16>(), random_hex::<16>());
        assert_eq!((one.len(), other.len()), (32, 32));
        assert_ne!(one, other);
        assert!(one.chars().all(|digit| digit.is_ascii_hexdigit() && !digit.is_ascii_uppercase()));
    }
}
