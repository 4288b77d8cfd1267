//! What a client can do wrong with the bytes of a request, so that it is refused.

use std::num::NonZeroU8;

use hyper::StatusCode;

macro_rules! faults {
    ($($name:ident = $word:literal, $what:literal;)*) => {
        /// Why a request is refused before anybody asks what it wants.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Fault { $(#[doc = $what] $name,)* }

        const ALL: &[Fault] = &[$(Fault::$name,)*];

        impl Fault {
            /// Its word in the access log.
            pub(crate) fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

faults! {
    BareLineFeed = "bare-line-feed", "A line that ends without a carriage return.";
    BareCarriageReturn = "bare-carriage-return", "A carriage return without a line feed.";
    ControlCharacter = "control-character", "A byte that stands in no head, such as NUL.";
    RequestLine = "request-line", "A first line that is not method, target and version with one space each.";
    Target = "target", "A target that is no target.";
    FoldedLine = "folded-line", "A field that goes on in the next line.";
    FieldName = "field-name", "A name with other characters than those of a token, such as a space before its colon.";
    ContentLength = "content-length", "A length that is no number, is too long, or stands there twice.";
    TransferEncoding = "transfer-encoding", "An encoding that does not end in one `chunked`, or one in HTTP/1.0.";
    TwoLengths = "two-lengths", "Both a length and an encoding.";
    ChunkSize = "chunk-size", "A chunk whose size is no number of up to 15 digits.";
    ChunkExtension = "chunk-extension", "More beside a chunk's size than there may be.";
    ChunkEnd = "chunk-end", "A chunk that does not end where its size says.";
    Trailer = "trailer", "A malformed field after the last chunk.";
    Malformed = "malformed", "Any other head that cannot be read.";
    BodyTooLarge = "body-too-large", "A body that is longer than its route allows.";
    BodyTooSlow = "body-too-slow", "A body of which too little came for too long.";
    ProxyHeader = "proxy-protocol", "No header of the PROXY protocol where one is due, or a malformed one.";
    TooLarge = "too-large", "A head that is longer than it may be.";
}

impl Fault {
    /// What a client is answered.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// As a number, of which zero is left for none.
    pub(super) fn number(self) -> NonZeroU8 {
        NonZeroU8::MIN.saturating_add(self as u8)
    }

    pub(super) fn numbered(number: u8) -> Option<Self> {
        ALL.get(usize::from(number).checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_number() {
        for fault in ALL {
            assert_eq!(Fault::numbered(fault.number().get()), Some(*fault));
        }
        assert_eq!(Fault::numbered(0), None);
    }
}
