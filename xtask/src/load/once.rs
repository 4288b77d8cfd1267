//! One request, for whoever wants to see an answer.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use tokio::time::timeout;

use super::connection::Pool;
use super::sender::ANSWER_AT_MOST;
use super::{Failure, LoadError, Settings, Shape};

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// GETs `path` by a connection of its own; the body of a 200 as text.
///
/// # Errors
/// When the address is not on this machine, or the answer is not a whole 200 in five seconds.
pub fn get_once(address: SocketAddr, path: &str) -> Result<String, LoadError> {
    let settings = Settings::new(address, vec![Shape::get(path)]);
    settings.check()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| LoadError::Runtime { source })?;
    let answered =
        runtime.block_on(async { timeout(PATIENCE, get(&settings)).await.unwrap_or(Err(Failure::Timeout)) });
    answered.map_err(|failure| LoadError::NoAnswer { path: path.to_owned(), failure })
}

async fn get(settings: &Settings) -> Result<String, Failure> {
    let shape = settings.shapes.first().ok_or(Failure::NotSent)?;
    let request = settings.request(shape, 0, true).ok_or(Failure::NotSent)?;
    let mut sender = Pool::new(settings.target, 1).connect().await?;
    let response = sender.send_request(request).await.map_err(|error| Failure::of_exchange(&error))?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), ANSWER_AT_MOST).collect().await;
    let body = body.map_err(|error| Failure::of_exchange(error.as_ref()))?;
    match status {
        200 => Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned()),
        other => Err(Failure::Status(other)),
    }
}
