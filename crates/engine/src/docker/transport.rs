//! Connections to a daemon that neither a socket nor plain TCP reaches: each is a line that carries HTTP.

pub(super) mod ssh;
pub(super) mod tls;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

/// How long a line that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(30);
/// Lines kept that nobody uses.
const KEPT: usize = 8;

/// A line that is being made.
type Making<S> = Pin<Box<dyn Future<Output = io::Result<Line<S>>> + Send>>;

/// A client whose lines `make` makes. `host` is what requests call the daemon.
fn client<S, F>(
    make: impl Fn() -> F + Clone + Send + Sync + 'static,
    host: &str,
    answer: Duration,
) -> Result<Docker, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = io::Result<S>> + Send + 'static,
{
    let connector = tower::service_fn(move |_: Uri| {
        let making = make();
        Box::pin(async move { Ok(Line(TokioIo::new(making.await?))) }) as Making<S>
    });
    let client = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(KEPT)
        .build(connector);
    let send = move |request: BollardRequest| {
        let answering = client.request(request);
        async move { answering.await.map_err(Error::from) }
    };
    Docker::connect_with_custom_transport(
        send,
        Some(format!("http://{host}")),
        answer.as_secs(),
        API_DEFAULT_VERSION,
    )
}

/// A connection as the HTTP client wants it.
struct Line<S>(TokioIo<S>);

impl<S> Connection for Line<S> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl<S: AsyncRead + Unpin> Read for Line<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> Write for Line<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(context)
    }
}
