//! Lists of containers. Podman has states in them that Docker's API does not know, and the client library refuses a
//! whole list for one: then it is asked for again, and read with what is needed of it alone.

use std::collections::HashMap;
use std::io;

use bollard::errors::Error;
use bollard::query_parameters::ListContainersOptionsBuilder;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::EngineError;
use crate::docker::client::{Client, refused};
use crate::docker::place::DockerPlace;

/// The longest list that is read.
const LIST_BYTES: usize = 64 << 20;
/// How many bytes one takes that must not stand in an address as itself.
const ENCODED: usize = 3;

/// A container of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    pub(super) id: String,
    #[serde(default)]
    pub(super) names: Option<Vec<String>>,
    #[serde(default)]
    pub(super) labels: Option<HashMap<String, String>>,
    #[serde(default)]
    pub(super) state: Option<String>,
}

/// All containers, whether they run or not, that pass the filters.
pub(super) async fn containers(
    client: &Client,
    filters: &HashMap<String, Vec<String>>,
    attempt: String,
) -> Result<Vec<Listed>, EngineError> {
    let options = ListContainersOptionsBuilder::new().all(true).filters(filters).build();
    let list = match client.api.list_containers(Some(options)).await {
        Ok(list) => list,
        Err(error @ (Error::JsonDataError { .. } | Error::JsonSerdeError { .. })) => {
            return match plainly(client, filters).await {
                Some(list) => list.map_err(|source| EngineError::Refused {
                    attempt,
                    reason: source.to_string(),
                    hint: None,
                }),
                None => Err(refused(attempt)(error)),
            };
        }
        Err(error) => return Err(refused(attempt)(error)),
    };
    let listed = list.into_iter().filter_map(|one| {
        let state = one.state.map(|state| state.to_string());
        Some(Listed { id: one.id?, names: one.names, labels: one.labels, state })
    });
    Ok(listed.collect())
}

/// The list over a connection of its own; `None` where only the library has one.
async fn plainly(client: &Client, filters: &HashMap<String, Vec<String>>) -> Option<io::Result<Vec<Listed>>> {
    let filters = encoded(&serde_json::to_string(filters).ok()?);
    let path = format!("/v{}/containers/json?all=true&filters={filters}", client.version);
    let asking = async {
        match &client.place {
            DockerPlace::Socket(socket) => Some(ask(UnixStream::connect(socket).await, &path).await),
            DockerPlace::Tcp(address) => Some(ask(TcpStream::connect(address).await, &path).await),
            DockerPlace::Tls(_) | DockerPlace::Ssh(_) => None,
        }
    };
    let late = || io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time");
    timeout(client.answer, asking).await.unwrap_or_else(|_| Some(Err(late())))
}

async fn ask<S>(stream: io::Result<S>, path: &str) -> io::Result<Vec<Listed>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream?)).await;
    let (mut sender, connection) = handshake.map_err(io::Error::other)?;
    tokio::spawn(connection);
    let request = Request::get(path).header("host", "docker").header("connection", "close");
    let request = request.body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
    let answer = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), LIST_BYTES).collect().await.map_err(io::Error::other)?;
    if !status.is_success() {
        return Err(io::Error::other(format!("it answered {status}")));
    }
    Ok(serde_json::from_slice(&body.to_bytes())?)
}

/// As it may stand in an address.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * ENCODED);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_state_that_docker_does_not_know_hides_no_container() {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        let peer = tokio::spawn(async move {
            let mut request = vec![0; 4096];
            let read = theirs.read(&mut request).await.unwrap();
            let body = r#"[{"Id":"a","Names":["/one"],"State":"stopped","Labels":null}]"#;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            theirs.write_all((head + body).as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..read]).into_owned()
        });
        let path = format!("/v1.41/containers/json?filters={}", encoded(r#"{"label":["a=b"]}"#));
        let list = ask(Ok(ours), &path).await.unwrap();
        assert_eq!((&*list[0].id, list[0].state.as_deref()), ("a", Some("stopped")));
        assert!(peer.await.unwrap().contains("filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D "));
    }
}
