//! What of a connection's bytes is looked at as heads, for tests.

use std::ops::Range;

use super::fault::Fault;
use super::grammar::Grammar;

/// Where heads stand, and what is wrong after them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) heads: Vec<Range<usize>>,
    /// Whether one offered to switch to another protocol.
    pub(crate) offers: bool,
    pub(crate) fault: Option<(usize, Fault)>,
}

/// Looks at bytes that come so many at a time.
pub(crate) fn looked(bytes: &[u8], piece: usize) -> Look {
    let mut look = Look { heads: Vec::new(), offers: false, fault: None };
    let mut whole = Grammar::default();
    let mut at = 0;
    for piece in bytes.chunks(piece) {
        let read = whole.read(piece);
        look.offers |= whole.take_offer();
        if let Err((right, fault)) = read {
            look.fault = Some((at + right, fault));
            break;
        }
        at += piece.len();
    }
    let end = look.fault.map_or(bytes.len(), |(at, _)| at);
    let (mut grammar, mut start) = (Grammar::default(), None);
    for (at, byte) in bytes[..end].iter().enumerate() {
        let (between, heads) = (grammar.is_between(), grammar.heads());
        let _ = grammar.read(&[*byte]);
        if between && !grammar.is_between() {
            start = Some(at);
        }
        if grammar.heads() > heads {
            look.heads.extend(start.map(|start| start..at + 1));
        }
    }
    assert_eq!(look.heads.len() as u64, grammar.heads());
    look
}
