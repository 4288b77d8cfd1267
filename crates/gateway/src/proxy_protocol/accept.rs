//! Taking the header off a connection, from those alone who may say who asks.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::worker::Gateway;

use super::{LONGEST_TEXT, Parsed, parse};

/// How long a balancer may take to send its header: it does so before all else.
const HEADER: Duration = Duration::from_secs(5);

/// The client's own address: what the header says where the address takes one from this balancer, else that of the
/// connection. Nothing where a header was due and none came.
pub(crate) async fn accept(
    stream: &mut TcpStream,
    from: SocketAddr,
    listen: SocketAddr,
    gateway: &Gateway,
) -> Option<SocketAddr> {
    if !gateway.table.load().trusts(listen, from.ip()) {
        return Some(from);
    }
    match timeout(HEADER, read(stream)).await {
        Ok(Ok(told)) => Some(told.unwrap_or(from)),
        _ => None,
    }
}

/// Reads a header, and no byte more.
async fn read(stream: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    let mut bytes = Vec::new();
    loop {
        let more = match parse(&bytes) {
            Parsed::Whole(_, client) => return Ok(client),
            Parsed::Malformed => return Err(io::ErrorKind::InvalidData.into()),
            Parsed::More(more) if bytes.starts_with(b"PROXY ") => more.max(bytes.len() + line(stream).await?),
            Parsed::More(more) => more,
        };
        let start = bytes.len();
        bytes.resize(more, 0);
        stream.read_exact(&mut bytes[start..]).await?;
    }
}

/// How much of what lies there belongs to the line that is being read; 0 where its end is not there yet.
async fn line(stream: &TcpStream) -> io::Result<usize> {
    let mut ahead = [0; LONGEST_TEXT];
    let count = stream.peek(&mut ahead).await?;
    let ahead = &ahead[..count];
    Ok(ahead.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1))
}
