//! Headers that a collector wants, from a file as `OTEL_EXPORTER_OTLP_HEADERS` is written: `name=value,name=value`.

use std::path::Path;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use thiserror::Error;

use crate::rim;

/// The longest file of headers.
const MOST_BYTES: u64 = 64 << 10;

/// Why a file gives no headers. What stands in it is not told: it may be a key.
#[derive(Debug, Error)]
pub enum HeadersError {
    /// It is not for us.
    #[error("it cannot be read")]
    Unread {
        /// Why.
        source: std::io::Error,
    },
    /// It is not there.
    #[error("there is no such file")]
    Missing,
    /// It holds something else.
    #[error("header {number} is not written as `name=value`")]
    Header {
        /// Which of them, from 1.
        number: usize,
    },
}

/// The headers in a file.
pub(super) fn read(path: &Path) -> Result<HeaderMap, HeadersError> {
    let bytes = rim::read(path, MOST_BYTES).map_err(|source| HeadersError::Unread { source })?;
    parse(&bytes.ok_or(HeadersError::Missing)?)
}

/// Whether there are headers in such a file.
///
/// # Errors
/// Which of them is none.
pub fn examine_headers(bytes: &[u8]) -> Result<(), HeadersError> {
    parse(bytes).map(drop)
}

/// Reads headers, parted by commas or lines, their values as in an address (W3C Baggage, section 3.3).
fn parse(bytes: &[u8]) -> Result<HeaderMap, HeadersError> {
    let mut headers = HeaderMap::new();
    let parts = bytes.split(|byte| matches!(byte, b',' | b'\n')).map(<[u8]>::trim_ascii);
    for (index, part) in parts.filter(|part| !part.is_empty()).enumerate() {
        let wrong = || HeadersError::Header { number: index + 1 };
        let at = part.iter().position(|byte| *byte == b'=').ok_or_else(wrong)?;
        let (name, value) = (part[..at].trim_ascii(), part[at + 1..].trim_ascii());
        let name = HeaderName::from_bytes(name).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_bytes(&decoded(value)).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// A value with what was written as `%20` put back.
fn decoded(value: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        plain.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_the_environment_has_them() {
        let headers = parse(b"api-key=a%20b=c%zz , x-scope=%e2%82%ac\nAuthorization=Basic%20YTpi\n").unwrap();
        assert_eq!(headers["api-key"], "a b=c%zz");
        assert_eq!(headers["x-scope"].as_bytes(), "€".as_bytes());
        assert_eq!(headers["authorization"], "Basic YTpi");
        assert!(headers.values().all(HeaderValue::is_sensitive));
        assert!(parse(b" \n,").unwrap().is_empty());
        for wrong in [&b"a=1,key"[..], b"a=1,b c=2", b"a=1,=2", b"a=1,b=%0a"] {
            let told = parse(wrong).unwrap_err().to_string();
            assert_eq!(told, "header 2 is not written as `name=value`");
        }
    }
}
