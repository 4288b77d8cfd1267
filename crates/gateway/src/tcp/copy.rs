//! Copies both ways; a side that has said all it wants still gets the answer.

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stream::ClientStream;

/// What is read at once: little for a connection that says little, more once a read fills it.
const LEAST_BUFFER: usize = 8 << 10;
const MOST_BUFFER: usize = 64 << 10;

/// Bytes that were passed on.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) from_client: AtomicU64,
    pub(super) to_client: AtomicU64,
}

/// How a direction broke.
enum Broken {
    /// Who speaks broke off: who listens must learn that it was not all.
    Reading(io::Error),
    /// Who listens is gone. What it said before may still come.
    Writing(io::Error),
}

/// Copies until both sides have said all. What is `early` of the client and of the backend goes before what they say.
///
/// # Errors
/// When one of them broke off.
pub(super) async fn both_ways(
    client: &mut ClientStream,
    backend: &mut TcpStream,
    early: &[Bytes; 2],
    counts: &Counts,
) -> io::Result<()> {
    match client {
        ClientStream::Plain(client) => between(client.split(), backend, early, counts).await,
        ClientStream::Tls(client) => between(tokio::io::split(client), backend, early, counts).await,
    }
}

async fn between(
    (client_says, client_hears): (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    backend: &mut TcpStream,
    early: &[Bytes; 2],
    counts: &Counts,
) -> io::Result<()> {
    let (backend_says, backend_hears) = backend.split();
    let mut up =
        pin!(one_way(AsyncReadExt::chain(&*early[0], client_says), backend_hears, &counts.from_client));
    let mut down =
        pin!(one_way(AsyncReadExt::chain(&*early[1], backend_says), client_hears, &counts.to_client));
    let (first, is_up) = tokio::select! {
        first = &mut up => (first, true),
        first = &mut down => (first, false),
    };
    let other = async { if is_up { down.await } else { up.await } };
    match first {
        Ok(()) => other.await.map_err(Broken::into_error),
        Err(Broken::Reading(error)) => Err(error),
        // The end of what it said comes soon: its side of the connection is down.
        Err(Broken::Writing(error)) => {
            let _ = other.await;
            Err(error)
        }
    }
}

async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    count: &AtomicU64,
) -> Result<(), Broken> {
    let mut buffer = vec![0; LEAST_BUFFER];
    loop {
        let length = from.read(&mut buffer).await.map_err(Broken::Reading)?;
        let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else {
            return to.shutdown().await.map_err(Broken::Writing);
        };
        to.write_all(bytes).await.map_err(Broken::Writing)?;
        count.fetch_add(length as u64, Ordering::Relaxed);
        if length == buffer.len() && length < MOST_BUFFER {
            buffer.resize(MOST_BUFFER, 0);
        }
    }
}

impl Broken {
    fn into_error(self) -> io::Error {
        match self {
            Self::Reading(error) | Self::Writing(error) => error,
        }
    }
}
