//! Taking the header off a connection, from those alone who may say who asks.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::framing::Fault;
use crate::proxy;
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
    gateway: &Arc<Gateway>,
) -> Option<SocketAddr> {
    if !gateway.table.load().trusts(listen, from.ip()) {
        return Some(from);
    }
    let mut bytes = Vec::new();
    if let Ok(Ok(told)) = timeout(HEADER, read(stream, &mut bytes)).await {
        return Some(told.unwrap_or(from));
    }
    // A connection without a word is how many balancers ask whether somebody is there.
    if !bytes.is_empty() {
        proxy::Story::unread(Fault::ProxyHeader, from, gateway.clone());
    }
    None
}

/// Reads a header, and no byte more.
async fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<Option<SocketAddr>> {
    loop {
        let more = match parse(bytes) {
            Parsed::Whole(_, client) => return Ok(client),
            Parsed::Malformed => return Err(io::ErrorKind::InvalidData.into()),
            Parsed::More(more) if bytes.starts_with(b"PROXY ") => more.max(bytes.len() + line(stream).await?),
            Parsed::More(more) => more,
        };
        while bytes.len() < more {
            let missing = (more - bytes.len()) as u64;
            if (&mut *stream).take(missing).read_buf(bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// How much of what lies there belongs to the line that is being read; 0 where its end is not there yet.
async fn line(stream: &TcpStream) -> io::Result<usize> {
    let mut ahead = [0; LONGEST_TEXT];
    let count = stream.peek(&mut ahead).await?;
    let ahead = &ahead[..count];
    Ok(ahead.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1))
}
