//! Whom a certificate names, as one line (RFC 4514). Bytes that mean something to readers of such lines, of lists or of
//! quoted texts are written as `\` and two digits, so that nothing in a name ends it.

use super::validity::{EXPLICIT_VERSION, INTEGER, SEQUENCE, element};

const SET: u8 = 0x31;
const OBJECT: u8 = 0x06;
/// UTF-8, printable characters, and those of IA5.
const TEXTS: [u8; 3] = [0x0c, 0x13, 0x16];
/// Names of attributes, by the bytes of their identifiers.
const NAMES: [(&[u8], &str); 10] = [
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 5], "SERIALNUMBER"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], "emailAddress"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
];
/// A longer one is not told.
const LONGEST: usize = 1024;

/// The subject of a certificate in DER, the last part first; nothing where it cannot be read as a whole, or is empty.
pub(super) fn of(certificate: &[u8]) -> Option<String> {
    let (_, certificate, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, mut rest, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let first = element(rest)?;
    if first.0 == EXPLICIT_VERSION {
        rest = first.2;
    }
    // Serial number, signature algorithm, issuer, when it holds; then the subject.
    for expected in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE] {
        let (tag, _, after) = element(rest)?;
        rest = (tag == expected).then_some(after)?;
    }
    let (_, mut subject, _) = element(rest).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let mut parts = Vec::new();
    while !subject.is_empty() {
        let (tag, set, after) = element(subject)?;
        parts.push((tag == SET).then(|| part(set)).flatten()?);
        subject = after;
    }
    parts.reverse();
    Some(parts.join(",")).filter(|text| !text.is_empty() && text.len() <= LONGEST)
}

/// What stands together in one set.
fn part(mut set: &[u8]) -> Option<String> {
    let mut pairs = Vec::new();
    while !set.is_empty() {
        let (tag, pair, after) = element(set)?;
        let (kind, name, value) = element(pair).filter(|_| tag == SEQUENCE)?;
        let (text, written, _) = element(value)?;
        let known =
            NAMES.iter().find(|(bytes, _)| *bytes == name && kind == OBJECT).map(|(_, known)| *known)?;
        let written = TEXTS.contains(&text).then(|| std::str::from_utf8(written).ok()).flatten()?;
        pairs.push(format!("{known}={}", plain(written)));
        set = after;
    }
    Some(pairs.join("+"))
}

fn plain(text: &str) -> String {
    let mut plain = String::new();
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b" .-_@:/'()*".contains(&byte);
        if is_plain {
            plain.push(char::from(byte));
        } else {
            plain.push_str(&format!("\\{byte:02X}"));
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    use super::*;

    fn made(parts: &[(DnType, &str)]) -> Vec<u8> {
        let key = KeyPair::generate().unwrap();
        let mut wanted = CertificateParams::new(["shop.example".to_owned()]).unwrap();
        wanted.distinguished_name = DistinguishedName::new();
        for (kind, text) in parts {
            wanted.distinguished_name.push(kind.clone(), *text);
        }
        wanted.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn a_subject_is_one_line_and_nothing_in_it_ends_it() {
        let names = [(DnType::OrganizationName, "Shop"), (DnType::CommonName, "ann")];
        assert_eq!(of(&made(&names)).as_deref(), Some("CN=ann,O=Shop"));
        let sly = [(DnType::CommonName, "ann\",O=Bank;Hash=1\r\nx: ü")];
        assert_eq!(
            of(&made(&sly)).as_deref(),
            Some("CN=ann\\22\\2CO\\3DBank\\3BHash\\3D1\\0D\\0Ax: \\C3\\BC")
        );
        assert_eq!(of(&made(&[])), None);
        assert_eq!(of(&made(&[(DnType::CommonName, &"a".repeat(2000))])), None);
        assert_eq!(of(b""), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(at in 0_usize..400, byte in any::<u8>()) {
            let mut certificate = made(&[(DnType::CommonName, "ann")]);
            if let Some(there) = certificate.get_mut(at) {
                *there = byte;
            }
            let _ = of(&certificate);
        }
    }
}
