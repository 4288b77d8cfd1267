//! Messages between supervisor and worker, each with at most one socket handed over (`SCM_RIGHTS`).

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recv, recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::Interest;
use tokio::net::UnixStream;

/// A message is an address and a word or two; more is not one of ours.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// Length of the size that precedes each message.
const SIZE_BYTES: usize = 4;

/// One end of a stream socket. A message is its size in four bytes, big-endian, then JSON; a socket that
/// goes with it is attached to the first byte.
#[derive(Debug)]
pub(crate) struct Channel {
    stream: UnixStream,
}

impl Channel {
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self { stream }
    }

    /// The stream alone, for another process.
    pub(crate) fn into_std(self) -> io::Result<std::os::unix::net::UnixStream> {
        self.stream.into_std()
    }

    /// The process that made the channel, as the system knows it.
    pub(crate) fn peer(&self) -> Option<i32> {
        self.stream.peer_cred().ok()?.pid()
    }

    /// The user at the other end.
    pub(crate) fn user(&self) -> Option<u32> {
        Some(self.stream.peer_cred().ok()?.uid())
    }

    /// Returns when there is something to receive, or the other side is gone. It may be given up.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        // Looked at without being taken: what the runtime remembers may be of a message that was received since.
        let look = || {
            let mut byte = [0];
            recv(self.stream.as_fd(), &mut byte[..], RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
            Ok(())
        };
        self.stream.async_io(Interest::READABLE, look).await
    }

    /// Sends one message, and a copy of `socket` with it.
    pub(crate) async fn send<T: Serialize>(
        &self,
        message: &T,
        socket: Option<BorrowedFd<'_>>,
    ) -> io::Result<()> {
        let body = serde_json::to_vec(message)?;
        let size = u32::try_from(body.len()).map_err(io::Error::other)?;
        let mut bytes = size.to_be_bytes().to_vec();
        bytes.extend_from_slice(&body);
        let mut sent =
            self.stream.async_io(Interest::WRITABLE, || send_some(&self.stream, &bytes, socket)).await?;
        while sent < bytes.len() {
            sent += self
                .stream
                .async_io(Interest::WRITABLE, || send_some(&self.stream, &bytes[sent..], None))
                .await?;
        }
        Ok(())
    }

    /// The next message; `None` when the other side is gone. One caller at a time, who does not give up
    /// in the middle.
    pub(crate) async fn receive<T: DeserializeOwned>(&self) -> io::Result<Option<(T, Option<OwnedFd>)>> {
        let mut size = [0; SIZE_BYTES];
        let Some(socket) = self.fill(&mut size).await? else {
            return Ok(None);
        };
        let size = u32::from_be_bytes(size) as usize;
        if size > MAX_MESSAGE_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the message is too long"));
        }
        let mut body = vec![0; size];
        if self.fill(&mut body).await?.is_none() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Some((serde_json::from_slice(&body)?, socket)))
    }

    /// Fills the buffer exactly, so that a socket is never read with the message before it. `None` at the end
    /// of the stream.
    async fn fill(&self, buffer: &mut [u8]) -> io::Result<Option<Option<OwnedFd>>> {
        let mut filled = 0;
        let mut socket = None;
        while filled < buffer.len() {
            let rest = &mut buffer[filled..];
            let (count, received) =
                self.stream.async_io(Interest::READABLE, || receive_some(&self.stream, rest)).await?;
            match count {
                0 if filled == 0 => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => filled += count,
            }
            socket = received.or(socket);
        }
        Ok(Some(socket))
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn send_some(stream: &UnixStream, bytes: &[u8], socket: Option<BorrowedFd<'_>>) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let sockets: Vec<BorrowedFd<'_>> = socket.into_iter().collect();
    if !sockets.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&sockets)) {
        return Err(io::Error::other("no room for the socket"));
    }
    Ok(sendmsg(stream.as_fd(), &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?)
}

fn receive_some(stream: &UnixStream, buffer: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received =
        recvmsg(stream.as_fd(), &mut [IoSliceMut::new(buffer)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut socket = None;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(sockets) = message {
            socket = sockets.into_iter().next().or(socket);
        }
    }
    Ok((received.bytes, socket))
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};
    use std::os::fd::AsFd;

    use super::*;

    #[tokio::test]
    async fn messages_keep_their_order_and_their_sockets() {
        let (left, right) = UnixStream::pair().unwrap();
        let (left, right) = (Channel::new(left), Channel::new(right));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        left.send(&"first", None).await.unwrap();
        left.send(&"second", Some(listener.as_fd())).await.unwrap();
        left.send(&"third", None).await.unwrap();
        drop((left, listener));

        let (first, none) = right.receive::<String>().await.unwrap().unwrap();
        assert_eq!((first.as_str(), none.is_none()), ("first", true));
        let (second, socket) = right.receive::<String>().await.unwrap().unwrap();
        assert_eq!(second, "second");
        assert_eq!(TcpListener::from(socket.unwrap()).local_addr().unwrap(), address);
        let (third, none) = right.receive::<String>().await.unwrap().unwrap();
        assert_eq!((third.as_str(), none.is_none()), ("third", true));
        assert!(right.receive::<String>().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_size_out_of_bounds_is_an_error() {
        use tokio::io::AsyncWriteExt;
        let (mut left, right) = UnixStream::pair().unwrap();
        left.write_all(&[0xff; 8]).await.unwrap();
        assert!(Channel::new(right).receive::<String>().await.is_err());
    }
}
