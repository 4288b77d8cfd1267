//! The grammar of HTTP/1.1 on the wire (RFC 9112), byte by byte and without leniency: where two readers of the same
//! bytes could find requests in different places, there is no request.

mod head;

use super::fault::Fault;

use head::{Body, Head};

/// Digits of a chunk's size: more would fit no disk.
const CHUNK_DIGITS: u8 = 15;
/// What may stand beside the sizes of all chunks of one body together.
const EXTENSION_BYTES: u32 = 4 << 10;
/// All that may follow the last chunk of a body.
const TRAILER_BYTES: u32 = 8 << 10;

/// Reads the bytes of a connection, request after request.
#[derive(Debug, Default)]
pub(super) struct Grammar {
    state: State,
    head: Head,
    heads: u64,
    offered: bool,
    /// Of a body: bytes beside the sizes of its chunks, bytes after the last.
    extension: u32,
    trailer: u32,
}

/// Where in a request the next byte stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    EmptyLf,
    Method,
    TargetStart,
    Target,
    Version,
    LineLf,
    Field,
    Name,
    Value,
    ValueLf,
    HeadLf,
    Length(u64),
    SizeStart,
    Size(u64, u8),
    /// White space between a size and its extension.
    Pad(u64),
    Extension(u64),
    SizeLf(u64),
    Data(u64),
    DataCr,
    DataLf,
    Trailer,
    TrailerName,
    TrailerValue,
    TrailerLf,
    EndLf,
}

impl Grammar {
    /// Reads on; where something is wrong, how many bytes before it were right.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(), (usize, Fault)> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let rest = (bytes.len() - at) as u64;
            match &mut self.state {
                State::Length(left) | State::Data(left) if *left > rest => {
                    *left -= rest;
                    return Ok(());
                }
                State::Length(left) => {
                    at += usize::try_from(*left).unwrap_or(usize::MAX);
                    self.state = State::Start;
                }
                State::Data(left) => {
                    at += usize::try_from(*left).unwrap_or(usize::MAX);
                    self.state = State::DataCr;
                }
                _ => {
                    self.state = self.step(*byte).map_err(|fault| (at, fault))?;
                    at += 1;
                }
            }
        }
        Ok(())
    }

    /// Whether a head has offered to switch to another protocol since this was asked: what follows may be none of HTTP.
    pub(super) fn take_offer(&mut self) -> bool {
        std::mem::take(&mut self.offered)
    }

    /// How many heads have ended.
    pub(super) fn heads(&self) -> u64 {
        self.heads
    }

    /// Whether the bytes that come now belong to a body.
    pub(super) fn in_body(&self) -> bool {
        use State::*;
        !matches!(
            self.state,
            Start
                | EmptyLf
                | Method
                | TargetStart
                | Target
                | Version
                | LineLf
                | Field
                | Name
                | Value
                | ValueLf
                | HeadLf
        )
    }

    /// Whether the last request has ended, and nothing came since.
    pub(super) fn is_at_rest(&self) -> bool {
        self.state == State::Start && !self.head.after_empty_line
    }

    /// Whether no request has begun since the last one ended.
    #[cfg(any(test, feature = "test-util"))]
    pub(super) fn is_between(&self) -> bool {
        matches!(self.state, State::Start | State::EmptyLf)
    }

    /// Whether an extension of a chunk is being read.
    pub(super) fn in_extension(&self) -> bool {
        matches!(self.state, State::Extension(_))
    }

    fn step(&mut self, byte: u8) -> Result<State, Fault> {
        match self.state {
            State::Start
            | State::EmptyLf
            | State::Method
            | State::TargetStart
            | State::Target
            | State::Version
            | State::LineLf => self.line(byte),
            State::Field | State::Name | State::Value | State::ValueLf | State::HeadLf => self.field(byte),
            // Skipped in `read`.
            State::Length(_) | State::Data(_) => Ok(self.state),
            State::Trailer | State::TrailerName | State::TrailerValue | State::TrailerLf | State::EndLf => {
                self.trailer(byte)
            }
            _ => self.chunk(byte),
        }
    }

    /// The first line of a request. One empty line before it is allowed (RFC 9112, section 2.2).
    fn line(&mut self, byte: u8) -> Result<State, Fault> {
        match (self.state, byte) {
            (State::Start, b'\r') if !self.head.after_empty_line => Ok(State::EmptyLf),
            (State::EmptyLf, b'\n') => {
                self.head.after_empty_line = true;
                Ok(State::Start)
            }
            (State::EmptyLf, _) => Err(Fault::BareCarriageReturn),
            (State::Start, _) if is_token(byte) => {
                self.head = Head::default();
                Ok(State::Method)
            }
            (State::Method, _) if is_token(byte) => Ok(State::Method),
            (State::Method, b' ') => Ok(State::TargetStart),
            (State::TargetStart | State::Target, 0x21..=0x7e) if byte != b'#' => Ok(State::Target),
            (State::Target, b' ') => Ok(State::Version),
            (State::TargetStart | State::Target, 0x80..=0xff | b'#') => Err(Fault::Target),
            (State::Version, 0x21..=0x7e) => self.head.version(byte).map(|()| State::Version),
            (State::Version, b'\r') if self.head.has_version() => Ok(State::LineLf),
            (State::LineLf, b'\n') => Ok(State::Field),
            (_, b'\n') => Err(Fault::BareLineFeed),
            (State::LineLf, _) => Err(Fault::BareCarriageReturn),
            (_, 0..=0x08 | 0x0b..=0x1f | 0x7f) if byte != b'\r' => Err(Fault::ControlCharacter),
            _ => Err(Fault::RequestLine),
        }
    }

    /// A field of the head, and its end.
    fn field(&mut self, byte: u8) -> Result<State, Fault> {
        match (self.state, byte) {
            (State::Field, b'\r') => Ok(State::HeadLf),
            (State::Field, b' ' | b'\t') => Err(Fault::FoldedLine),
            (State::Field, _) if is_token(byte) => {
                self.head.begin(byte);
                Ok(State::Name)
            }
            (State::Name, b':') => Ok(State::Value),
            (State::Name, _) if is_token(byte) => {
                self.head.name(byte);
                Ok(State::Name)
            }
            (State::Value, b'\r') => Ok(State::ValueLf),
            (State::Value, _) if is_value(byte) => {
                self.head.value(byte);
                Ok(State::Value)
            }
            (State::ValueLf, b'\n') => self.head.end_of_field().map(|()| State::Field),
            (State::HeadLf, b'\n') => self.end_of_head(),
            (State::ValueLf | State::HeadLf, _) => Err(Fault::BareCarriageReturn),
            (_, b'\n') => Err(Fault::BareLineFeed),
            (State::Value, _) => Err(Fault::ControlCharacter),
            _ => Err(Fault::FieldName),
        }
    }

    fn end_of_head(&mut self) -> Result<State, Fault> {
        let body = self.head.body()?;
        self.heads += 1;
        self.head.after_empty_line = false;
        Ok(match body {
            Body::None => {
                self.offered |= self.head.offers;
                State::Start
            }
            Body::Length(length) => State::Length(length),
            Body::Chunked => {
                (self.extension, self.trailer) = (0, 0);
                State::SizeStart
            }
        })
    }

    /// What stands around the data of chunks.
    fn chunk(&mut self, byte: u8) -> Result<State, Fault> {
        match (self.state, byte) {
            (State::SizeStart, _) => digit(byte).map(|digit| State::Size(digit, 1)),
            (State::Size(size, _), b'\r') => Ok(State::SizeLf(size)),
            (State::Size(size, _), b' ' | b'\t') => self.beside(State::Pad(size)),
            (State::Size(size, _) | State::Pad(size), b';') => self.beside(State::Extension(size)),
            (State::Size(size, digits), _) if digits < CHUNK_DIGITS => {
                digit(byte).map(|digit| State::Size(size * 16 + digit, digits + 1))
            }
            (State::Pad(_), b' ' | b'\t') => self.beside(self.state),
            (State::Extension(size), b'\r') => Ok(State::SizeLf(size)),
            (State::Extension(_), _) if is_value(byte) => self.beside(self.state),
            (State::Extension(_), _) => Err(Fault::ChunkExtension),
            (State::SizeLf(0), b'\n') => Ok(State::Trailer),
            (State::SizeLf(size), b'\n') => Ok(State::Data(size)),
            (State::SizeLf(_), _) => Err(Fault::BareCarriageReturn),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::SizeStart),
            (State::DataCr | State::DataLf, _) => Err(Fault::ChunkEnd),
            _ => Err(Fault::ChunkSize),
        }
    }

    /// What follows the last chunk.
    fn trailer(&mut self, byte: u8) -> Result<State, Fault> {
        self.trailer += 1;
        if self.trailer > TRAILER_BYTES {
            return Err(Fault::Trailer);
        }
        match (self.state, byte) {
            (State::Trailer, b'\r') => Ok(State::EndLf),
            (State::Trailer | State::TrailerName, _) if is_token(byte) => Ok(State::TrailerName),
            (State::TrailerName, b':') => Ok(State::TrailerValue),
            (State::TrailerValue, b'\r') => Ok(State::TrailerLf),
            (State::TrailerValue, _) if is_value(byte) => Ok(State::TrailerValue),
            (State::TrailerLf, b'\n') => Ok(State::Trailer),
            (State::EndLf, b'\n') => Ok(State::Start),
            _ => Err(Fault::Trailer),
        }
    }

    fn beside(&mut self, next: State) -> Result<State, Fault> {
        self.extension += 1;
        if self.extension > EXTENSION_BYTES { Err(Fault::ChunkExtension) } else { Ok(next) }
    }
}

/// A character of a token (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A character of a value (RFC 9110, section 5.5).
fn is_value(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x20..=0x7e | 0x80..=0xff)
}

fn digit(byte: u8) -> Result<u64, Fault> {
    char::from(byte).to_digit(16).map(u64::from).ok_or(Fault::ChunkSize)
}
