//! Identities by chance, drawn from the system many at a time: asking it for each would cost more than all else about them.

use std::cell::RefCell;

use bytes::Bytes;
use hyper::header::HeaderValue;

/// Bytes that are drawn at once.
const DRAWN: usize = 4096;
const DIGITS: &[u8; 16] = b"0123456789abcdef";
/// Bytes of an identity of a request, of a trace, and of a span.
const REQUEST: usize = 16;
const TRACE: usize = 16;
const SPAN: usize = 8;

thread_local! {
    /// What was drawn by this thread, and how much of it was used.
    static STOCK: RefCell<(Vec<u8>, usize)> = const { RefCell::new((Vec::new(), 0)) };
}

/// An identity for a request.
pub(super) fn request_id() -> HeaderValue {
    let mut text = Vec::with_capacity(2 * REQUEST);
    write_digits(&mut text, REQUEST);
    value(text)
}

/// A `traceparent` (W3C Trace Context, section 3.2) of a trace that begins here.
pub(super) fn trace_parent() -> HeaderValue {
    let mut text = Vec::with_capacity(super::TRACEPARENT_LENGTH);
    text.extend_from_slice(b"00-");
    write_digits(&mut text, TRACE);
    text.push(b'-');
    write_digits(&mut text, SPAN);
    text.extend_from_slice(b"-01");
    value(text)
}

/// An identity for a span.
pub(super) fn span() -> String {
    let mut text = Vec::with_capacity(2 * SPAN);
    write_digits(&mut text, SPAN);
    String::from_utf8(text).unwrap_or_default()
}

fn value(text: Vec<u8>) -> HeaderValue {
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(HeaderValue::from_static("0"))
}

/// So many random bytes as hexadecimal digits; zeros where the system has none to give.
fn write_digits(text: &mut Vec<u8>, bytes: usize) {
    STOCK.with_borrow_mut(|(stock, used)| {
        if stock.len() < *used + bytes {
            stock.resize(DRAWN, 0);
            *used = 0;
            if getrandom::fill(stock).is_err() {
                stock.fill(0);
            }
        }
        for byte in stock.iter().skip(*used).take(bytes) {
            text.extend([byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]));
        }
        *used += bytes;
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_well_formed_and_differ() {
        let ids: std::collections::BTreeSet<String> =
            (0..1000).map(|_| request_id().to_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 32 && super::super::is_id(id)));
        let parent = trace_parent();
        assert!(super::super::is_traceparent(parent.to_str().unwrap()), "{parent:?}");
        assert_ne!(parent, trace_parent());
    }
}
