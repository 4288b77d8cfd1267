//! Why a request failed, as its sender saw it.

use std::error::Error;
use std::{fmt, io};

/// Why a request failed, as its sender saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// Nobody listened.
    Refused,
    /// No connection could be made, for another reason.
    NoConnection,
    /// The connection ended before the whole answer came.
    Reset,
    /// No whole answer came in time.
    Timeout,
    /// An answer came, but not one that was expected.
    Status(u16),
    /// What came was not HTTP, or larger than an answer may be.
    BadAnswer,
    /// It was due, but too many were under way already.
    NotSent,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
            Self::NoConnection => f.write_str("no connection"),
            Self::Reset => f.write_str("connection lost"),
            Self::Timeout => f.write_str("timeout"),
            Self::Status(code) => write!(f, "status {code}"),
            Self::BadAnswer => f.write_str("bad answer"),
            Self::NotSent => f.write_str("not sent"),
        }
    }
}

impl Failure {
    /// What a failed attempt to connect means.
    pub(super) fn of_connect(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::ConnectionReset => Self::Reset,
            io::ErrorKind::TimedOut => Self::Timeout,
            _ => Self::NoConnection,
        }
    }

    /// What an error after connecting means.
    pub(super) fn of_exchange(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(link) = cause {
            if let Some(hyper) = link.downcast_ref::<hyper::Error>()
                && (hyper.is_parse() || hyper.is_parse_too_large())
            {
                return Self::BadAnswer;
            }
            if link.is::<http_body_util::LengthLimitError>() {
                return Self::BadAnswer;
            }
            cause = link.source();
        }
        Self::Reset
    }
}
