//! Clients that speak HTTP/2 without TLS, known before (RFC 9113, section 3.3).

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::header::{CONNECTION, HOST};
use hyper::{Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::sticky::turn;
use crate::load::Failure;

type Sender = SendRequest<Full<Bytes>>;

/// A connection for each client, each shared by its requests.
pub(in crate::load) struct Streams {
    target: SocketAddr,
    kept: Vec<Mutex<Option<Sender>>>,
}

impl Streams {
    pub(super) fn new(target: SocketAddr, clients: usize) -> Self {
        Self { target, kept: (0..clients.max(1)).map(|_| Mutex::default()).collect() }
    }

    /// Sends a request; whether its connection was found closed first.
    pub(in crate::load) async fn send(
        &self,
        index: u64,
        mut request: Request<Full<Bytes>>,
        reconnected: &mut bool,
    ) -> Result<Response<Incoming>, Failure> {
        request.headers_mut().remove(CONNECTION);
        let host = request.headers_mut().remove(HOST);
        let host = host.and_then(|host| host.to_str().map(str::to_owned).ok()).ok_or(Failure::NotSent)?;
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = format!("http://{host}{path}").parse::<Uri>().map_err(|_| Failure::NotSent)?;
        for _ in 0..2 {
            let mut sender = self.sender(index).await?;
            match sender.try_send_request(request).await {
                Ok(response) => return Ok(response),
                Err(mut error) => match error.take_message() {
                    // Not a byte of it was sent.
                    Some(unsent) => request = unsent,
                    None => return Err(Failure::of_exchange(&error.into_error())),
                },
            }
            *reconnected = true;
        }
        Err(Failure::NotSent)
    }

    /// The connection of the client whose turn it is.
    async fn sender(&self, index: u64) -> Result<Sender, Failure> {
        let mut kept = self.kept.get(turn(index, self.kept.len())).ok_or(Failure::NotSent)?.lock().await;
        if let Some(sender) = kept.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        let stream = TcpStream::connect(self.target).await.map_err(|error| Failure::of_connect(&error))?;
        stream.set_nodelay(true).map_err(|error| Failure::of_connect(&error))?;
        let shaken = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(|error| Failure::of_exchange(&error))?;
        // It ends with its senders.
        tokio::spawn(connection);
        *kept = Some(sender.clone());
        Ok(sender)
    }
}
