//! gRPC's health protocol (`grpc.health.v1.Health/Check`), whose two messages have one field each: no more of gRPC is
//! needed to ask.

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Limited};
use hyper::Request;

use crate::backend::Backend;
use crate::connection::Connection;
use crate::outgoing::Outgoing;

/// What is asked.
const CHECK: &str = "/grpc.health.v1.Health/Check";
/// A field of bytes with the number 1 (Protocol Buffers' wire format).
const TEXT: u8 = 0x0a;
/// An answer of one message of two bytes: its field with the number 1 is 1, which is `SERVING`.
const SERVING: [u8; 7] = [0, 0, 0, 0, 2, 0x08, 1];
/// An answer longer than this is none to such a question.
const MOST_BYTES: usize = 4 << 10;

/// Whether a backend says that this service of it serves; an empty name is all of it.
pub(super) async fn ask(backend: &Backend, service: &str) -> bool {
    let Ok(stream) = backend.reach().await else { return false };
    let Ok(mut connection) = Connection::over(stream, true).await else { return false };
    let request = Request::post(CHECK)
        .header("host", "localhost")
        .header("user-agent", "seaworthy-probe")
        .header("content-type", "application/grpc")
        .body(Outgoing::whole(question(service)));
    let Ok(request) = request else { return false };
    let Ok(answer) = connection.try_send_request(request).await else { return false };
    if !answer.status().is_success() {
        return false;
    }
    let Ok(body) = Limited::new(answer.into_body(), MOST_BYTES).collect().await else { return false };
    // A call that fails has another status, and may have no trailers at all.
    let done =
        body.trailers().and_then(|trailers| trailers.get("grpc-status")).is_some_and(|status| status == "0");
    done && body.to_bytes()[..] == SERVING
}

/// The message that asks, with its length before it.
fn question(service: &str) -> Bytes {
    let mut message = BytesMut::new();
    if !service.is_empty() {
        message.put_u8(TEXT);
        // Seven bits a byte, the last ones first.
        let mut length = service.len();
        while length >= 0x80 {
            message.put_u8(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
            length >>= 7;
        }
        message.put_u8(u8::try_from(length).unwrap_or_default());
        message.put_slice(service.as_bytes());
    }
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or_default());
    framed.put_slice(&message);
    framed.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_as_the_format_has_it() {
        assert_eq!(&question("")[..], [0, 0, 0, 0, 0]);
        assert_eq!(&question("shop.Orders")[..], b"\0\0\0\0\x0d\x0a\x0bshop.Orders");
        let long = question(&"a".repeat(200));
        assert_eq!(long[..8], [0, 0, 0, 0, 203, 0x0a, 0xc8, 1]);
    }
}
