//! Clients with a WebSocket each (RFC 6455): short texts out, the same texts back. One that is told goodbye says it too, hears
//! the rest of what it waits for, and comes again.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;

use tokio::io::{AsyncBufRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::sticky::turn;
use crate::load::Failure;

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
/// Nothing is hidden from anybody here.
const MASK: [u8; 4] = [0; 4];
/// The longest length that stands in one byte.
const SHORT: usize = 125;
/// Bytes of an answer's head that are read.
const HEAD: usize = 8 << 10;

/// A WebSocket for each client.
pub(in crate::load) struct Sockets {
    target: SocketAddr,
    kept: Vec<Mutex<Option<Socket>>>,
}

struct Socket {
    stream: BufReader<TcpStream>,
    /// The other side said goodbye.
    ends: bool,
}

impl Sockets {
    pub(super) fn new(target: SocketAddr, clients: usize) -> Self {
        Self { target, kept: (0..clients.max(1)).map(|_| Mutex::default()).collect() }
    }

    /// Sends a message on the WebSocket of the client whose turn it is, and waits for it to come back. `reconnected` tells
    /// whether that socket had ended in between, as agreed on.
    pub(in crate::load) async fn send(
        &self,
        index: u64,
        path: &str,
        reconnected: &mut bool,
    ) -> Result<(), Failure> {
        let mut kept = self.kept.get(turn(index, self.kept.len())).ok_or(Failure::NotSent)?.lock().await;
        let mut before = kept.take();
        if let Some(socket) = &mut before
            && socket.has_ended().await?
        {
            *reconnected = true;
            before = None;
        }
        let mut socket = match before {
            Some(socket) => socket,
            None => Socket::open(self.target, path).await?,
        };
        let message = format!("message {index}");
        socket.say(TEXT, message.as_bytes()).await?;
        let back = socket.hear().await?;
        if back != message.as_bytes() {
            return Err(Failure::BadAnswer);
        }
        *kept = Some(socket);
        Ok(())
    }
}

impl Socket {
    async fn open(target: SocketAddr, path: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(target).await.map_err(|error| Failure::of_connect(&error))?;
        stream.set_nodelay(true).map_err(|error| Failure::of_connect(&error))?;
        let mut stream = BufReader::new(stream);
        let offer = format!(
            "GET {path} HTTP/1.1\r\nHost: {target}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2Vhd29ydGh5IGxvYWQuLg==\r\n\r\n"
        );
        stream.write_all(offer.as_bytes()).await.map_err(|_| Failure::Reset)?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() >= HEAD {
                return Err(Failure::BadAnswer);
            }
            head.push(stream.read_u8().await.map_err(|_| Failure::Reset)?);
        }
        let status =
            String::from_utf8_lossy(&head).split_whitespace().nth(1).and_then(|code| code.parse().ok());
        match status {
            Some(101) => Ok(Self { stream, ends: false }),
            Some(other) => Err(Failure::Status(other)),
            None => Err(Failure::BadAnswer),
        }
    }

    /// Whether the other side said goodbye while nothing was said here; it is answered then.
    async fn has_ended(&mut self) -> Result<bool, Failure> {
        while !self.ends {
            let waits = std::future::poll_fn(|context| {
                Poll::Ready(match Pin::new(&mut self.stream).poll_fill_buf(context) {
                    Poll::Pending => Ok(false),
                    Poll::Ready(Ok(waiting)) if !waiting.is_empty() => Ok(true),
                    Poll::Ready(_) => Err(Failure::Reset),
                })
            });
            if !waits.await? {
                return Ok(false);
            }
            if self.frame().await?.0 != CLOSE {
                return Err(Failure::BadAnswer);
            }
        }
        Ok(true)
    }

    /// The next message. A goodbye before it is answered, and what is due is still waited for.
    async fn hear(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            match self.frame().await? {
                (TEXT, text) => return Ok(text),
                (CLOSE, _) => {}
                _ => return Err(Failure::BadAnswer),
            }
        }
    }

    async fn frame(&mut self) -> Result<(u8, Vec<u8>), Failure> {
        let [kind, length] = self.stream.read_u16().await.map_err(|_| Failure::Reset)?.to_be_bytes();
        if usize::from(length) > SHORT {
            return Err(Failure::BadAnswer);
        }
        let mut text = vec![0; length.into()];
        self.stream.read_exact(&mut text).await.map_err(|_| Failure::Reset)?;
        if kind == CLOSE && !std::mem::replace(&mut self.ends, true) {
            // Who is gone already needs no answer.
            let _ = self.say(CLOSE, &text).await;
        }
        Ok((kind, text))
    }

    async fn say(&mut self, kind: u8, text: &[u8]) -> Result<(), Failure> {
        let length = u8::try_from(text.len()).unwrap_or(u8::MAX) | 0x80;
        let frame = [&[kind, length], &MASK[..], text].concat();
        self.stream.write_all(&frame).await.map_err(|_| Failure::Reset)
    }
}
