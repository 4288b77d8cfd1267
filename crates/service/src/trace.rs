//! The trace that a request belongs to (W3C Trace Context, level 1).

use std::fmt;

use crate::identity::random_hex;

/// Longer `tracestate` headers are dropped, as the specification allows (section 3.3.1.5 asks for at least 512).
const MAX_STATE: usize = 512;

/// The trace that a request belongs to, with this service's own part in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: String,
    span_id: String,
    flags: u8,
    state: Option<String>,
}

impl TraceContext {
    /// Continues the trace of a request by its `traceparent` and `tracestate` headers; begins one when they are absent
    /// or not valid (section 3.2).
    pub fn of(parent: Option<&str>, state: Option<&str>) -> Self {
        let span_id = random_hex::<8>();
        match parent.and_then(parse) {
            Some((trace_id, flags)) => {
                let state = state.filter(|state| state.len() <= MAX_STATE).map(str::to_owned);
                Self { trace_id, span_id, flags, state }
            }
            None => Self { trace_id: random_hex::<16>(), span_id, flags: 0, state: None },
        }
    }

    /// The trace's identifier: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        &self.trace_id
    }

    /// The identifier of this service's part: 16 hexadecimal digits.
    pub fn span_id(&self) -> &str {
        &self.span_id
    }

    /// The `tracestate` header to pass on, if there was one.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

/// The `traceparent` header for requests that this one gives rise to.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

/// The trace identifier and flags of a valid `traceparent`.
fn parse(header: &str) -> Option<(String, u8)> {
    let mut parts = header.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_zero = |text: &str| text.bytes().all(|byte| byte == b'0');
    // Later versions may append fields; version 00 has exactly four (section 4).
    let is_version = is_hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    let is_valid = is_version && is_hex(trace, 32) && is_hex(parent, 16) && is_hex(flags, 2);
    let flags = u8::from_str_radix(flags, 16).ok()?;
    // Version 00 knows two bits at most; the others must not be passed on.
    (is_valid && !is_zero(trace) && !is_zero(parent)).then(|| (trace.to_owned(), flags & 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_valid_trace_is_continued() {
        let context = TraceContext::of(Some(&format!("00-{TRACE}-00f067aa0ba902b7-01")), Some("a=b"));
        assert_eq!((context.trace_id(), context.state()), (TRACE, Some("a=b")));
        assert_ne!(context.span_id(), "00f067aa0ba902b7");
        assert_eq!(context.to_string(), format!("00-{TRACE}-{}-01", context.span_id()));
        assert_eq!(TraceContext::of(Some(&context.to_string()), None).trace_id(), TRACE);
        let later = TraceContext::of(Some(&format!("01-{TRACE}-00f067aa0ba902b7-01-more")), None);
        assert_eq!(later.trace_id(), TRACE);
    }

    #[test]
    fn what_is_not_valid_begins_a_new_one() {
        for header in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-zz",
            "00-ébf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        ] {
            let context = TraceContext::of(Some(header), Some("a=b"));
            assert_ne!(context.trace_id(), TRACE, "{header}");
            assert_eq!((context.trace_id().len(), context.state()), (32, None), "{header}");
        }
    }

    #[test]
    fn an_overlong_state_is_dropped() {
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(TraceContext::of(Some(&parent), Some(&"a".repeat(MAX_STATE + 1))).state(), None);
    }
}
