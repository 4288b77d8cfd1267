//! What the head of a request says about where its body ends.

use crate::framing::fault::Fault;

/// The longest name, version or value that is kept to be looked at.
const KEPT: usize = 64;
/// Digits of a length: more would fit no disk.
const LENGTH_DIGITS: usize = 18;

/// What a head has said so far.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) after_empty_line: bool,
    /// Whether it offers to switch to another protocol.
    pub(super) offers: bool,
    old: bool,
    length: Option<u64>,
    chunked: bool,
    version: usize,
    /// The name of the field at hand in lower case, and its value where it matters; the rest of a long one is left out.
    name: Vec<u8>,
    value: Vec<u8>,
    matters: Option<bool>,
}

/// Where the body ends.
pub(super) enum Body {
    None,
    Length(u64),
    Chunked,
}

impl Head {
    /// One more byte of the version; only 1.0 and 1.1 are.
    pub(super) fn version(&mut self, byte: u8) -> Result<(), Fault> {
        const KNOWN: &[u8; 7] = b"HTTP/1.";
        let fits = match KNOWN.get(self.version) {
            Some(known) => *known == byte,
            None => self.version == KNOWN.len() && matches!(byte, b'0' | b'1'),
        };
        self.old = byte == b'0';
        self.version += 1;
        if fits { Ok(()) } else { Err(Fault::RequestLine) }
    }

    pub(super) fn has_version(&self) -> bool {
        self.version == b"HTTP/1.1".len()
    }

    /// The first byte of a field's name.
    pub(super) fn begin(&mut self, byte: u8) {
        self.name.clear();
        self.value.clear();
        self.matters = None;
        self.name(byte);
    }

    pub(super) fn name(&mut self, byte: u8) {
        if self.name.len() < KEPT {
            self.name.push(byte.to_ascii_lowercase());
        }
    }

    pub(super) fn value(&mut self, byte: u8) {
        let name = self.name.as_slice();
        let matters = *self
            .matters
            .get_or_insert(matches!(name, b"content-length" | b"transfer-encoding" | b"upgrade"));
        if matters && self.value.len() < KEPT {
            self.value.push(byte.to_ascii_lowercase());
        }
    }

    pub(super) fn end_of_field(&mut self) -> Result<(), Fault> {
        let value = self.value.trim_ascii();
        match self.name.as_slice() {
            b"content-length" => {
                let digits =
                    (1..=LENGTH_DIGITS).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
                let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                if !digits || self.length.is_some() {
                    return Err(Fault::ContentLength);
                }
                self.length = length;
            }
            b"transfer-encoding" => {
                // Another encoding before it is understood, and refused in a way that says so.
                let last = value.rsplit(|byte| *byte == b',').next().unwrap_or_default().trim_ascii();
                let times =
                    value.split(|byte| *byte == b',').filter(|word| word.trim_ascii() == b"chunked").count();
                if last != b"chunked" || times != 1 || self.chunked || self.old || self.value.len() == KEPT {
                    return Err(Fault::TransferEncoding);
                }
                self.chunked = true;
            }
            b"upgrade" => self.offers = true,
            _ => {}
        }
        Ok(())
    }

    /// Where the body ends, now that the head has.
    pub(super) fn body(&self) -> Result<Body, Fault> {
        match (self.length, self.chunked) {
            (Some(_), true) => Err(Fault::TwoLengths),
            (_, true) => Ok(Body::Chunked),
            (None | Some(0), false) => Ok(Body::None),
            (Some(length), false) => Ok(Body::Length(length)),
        }
    }
}
