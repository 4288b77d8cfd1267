//! The three encoders behind one face: bytes go in, what is ready comes out.

use std::io::{self, Write};

use brotli::CompressorWriter;
use bytes::Bytes;
use flate2::write::GzEncoder;

use super::Coding;

/// Levels at which a megabyte takes about as long to compress as to send.
const GZIP: u32 = 5;
const BROTLI: u32 = 4;
const BROTLI_WINDOW: u32 = 18;
const BROTLI_BUFFER: usize = 4 << 10;
const ZSTD: i32 = 3;
/// The window that every client has to be able to read is 8 MiB (RFC 9659); a smaller one needs less memory.
const ZSTD_WINDOW: u32 = 18;

/// What a body passes through.
pub(super) enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    /// There is no memory for it.
    Failed(Vec<u8>),
}

impl Encoder {
    pub(super) fn new(coding: Coding) -> Self {
        match coding {
            Coding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP))),
            Coding::Brotli => {
                let writer = CompressorWriter::new(Vec::new(), BROTLI_BUFFER, BROTLI, BROTLI_WINDOW);
                Self::Brotli(Box::new(writer))
            }
            Coding::Zstd => zstd().map_or_else(|_| Self::Failed(Vec::new()), Self::Zstd),
        }
    }

    fn writer(&mut self) -> io::Result<&mut dyn Write> {
        let writer: &mut dyn Write = match self {
            Self::Gzip(writer) => writer,
            Self::Brotli(writer) => writer,
            Self::Zstd(writer) => writer,
            Self::Failed(_) => return Err(io::ErrorKind::OutOfMemory.into()),
        };
        Ok(writer)
    }

    /// What is ready.
    fn take(&mut self) -> Bytes {
        let ready = match self {
            Self::Gzip(writer) => writer.get_mut(),
            Self::Brotli(writer) => writer.get_mut(),
            Self::Zstd(writer) => writer.get_mut(),
            Self::Failed(nothing) => nothing,
        };
        std::mem::take(ready).into()
    }

    /// Takes bytes in; gives back what is ready, if anything is.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<Bytes> {
        self.writer()?.write_all(bytes)?;
        Ok(self.take())
    }

    /// All that was taken in so far, so that it can be read.
    pub(super) fn flush(&mut self) -> io::Result<Bytes> {
        self.writer()?.flush()?;
        Ok(self.take())
    }

    /// The end.
    pub(super) fn finish(self) -> io::Result<Bytes> {
        let last = match self {
            Self::Gzip(writer) => writer.finish()?,
            Self::Brotli(writer) => writer.into_inner(),
            Self::Zstd(writer) => writer.finish()?,
            Self::Failed(nothing) => nothing,
        };
        Ok(last.into())
    }
}

fn zstd() -> io::Result<zstd::stream::write::Encoder<'static, Vec<u8>>> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD)?;
    encoder.window_log(ZSTD_WINDOW)?;
    Ok(encoder)
}
