//! When a certificate holds: the only thing that is read of it besides what rustls reads itself.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const EXPLICIT_VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The last year that two digits mean in this century (RFC 5280, section 4.1.2.5.1).
const LAST_SHORT_YEAR: i16 = 49;

/// From when until when a certificate in DER holds; nothing where that cannot be read.
pub(crate) fn of(certificate: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let (_, certificate, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, mut rest, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let first = element(rest)?;
    if first.0 == EXPLICIT_VERSION {
        rest = first.2;
    }
    // Serial number, signature algorithm, issuer, then what is looked for.
    for expected in [INTEGER, SEQUENCE, SEQUENCE] {
        let (tag, _, after) = element(rest)?;
        rest = (tag == expected).then_some(after)?;
    }
    let (_, validity, _) = element(rest).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (tag, from, validity) = element(validity)?;
    let from = time(tag, from)?;
    let (tag, until, _) = element(validity)?;
    Some((from, time(tag, until)?))
}

/// The first element: its tag, what is in it, and what follows it.
pub(super) fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (length, mut rest) = rest.split_first()?;
    let mut length = usize::from(*length);
    if length >= 0x80 {
        let digits = length - 0x80;
        if digits == 0 || digits > 4 {
            return None;
        }
        let (size, after) = rest.split_at_checked(digits)?;
        length = size.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        rest = after;
    }
    let (content, after) = rest.split_at_checked(length)?;
    Some((*tag, content, after))
}

fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i16 = year.parse().ok()?;
            (if year > LAST_SHORT_YEAR { 1900 + year } else { 2000 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |index: usize| -> Option<i8> { rest.get(index * 2..index * 2 + 2)?.parse().ok() };
    if rest.len() != 10 {
        return None;
    }
    let date = DateTime::new(year, part(0)?, part(1)?, part(2)?, part(3)?, part(4)?, 0).ok()?;
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_of_a_time_are_read() {
        let read = |tag, text: &str| time(tag, text.as_bytes()).map(|at| at.to_string());
        assert_eq!(read(UTC_TIME, "260102030405Z").as_deref(), Some("2026-01-02T03:04:05Z"));
        assert_eq!(read(UTC_TIME, "990102030405Z").as_deref(), Some("1999-01-02T03:04:05Z"));
        assert_eq!(read(GENERALIZED_TIME, "20510102030405Z").as_deref(), Some("2051-01-02T03:04:05Z"));
        for wrong in ["", "Z", "260102030405", "261302030405Z", "2601020304Z", "2601020304+1Z"] {
            assert_eq!(read(UTC_TIME, wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = of(&bytes);
        }

        #[test]
        fn no_certificate_cut_short_panics(length in 0_usize..400) {
            let key = rcgen::KeyPair::generate().unwrap();
            let whole = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap();
            let whole = whole.self_signed(&key).unwrap();
            prop_assert!(of(whole.der()).is_some());
            let _ = of(&whole.der()[..length.min(whole.der().len())]);
        }
    }
}
