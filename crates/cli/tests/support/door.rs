//! Where an example is reached: with TLS or without.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(60);
/// The host that is asked for.
const HOST: &str = "localhost";

/// A port of this machine, and how it is spoken to.
#[derive(Debug, Clone)]
pub struct Door {
    pub port: u16,
    secure: Option<Arc<ClientConfig>>,
}

/// What came back for a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// As it came, names and values.
    pub head: String,
    pub body: String,
}

impl From<u16> for Door {
    fn from(port: u16) -> Self {
        Self { port, secure: None }
    }
}

impl Door {
    /// One that speaks TLS with the certificate of a file, and is trusted for nothing else.
    pub fn secure(port: u16, certificate: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
        Self { port, secure: Some(Arc::new(config)) }
    }
}

/// One request over a connection of its own. `token` is a token, or a header as it is.
pub fn exchange(
    door: impl Into<Door>,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> Result<Answer, String> {
    let door = door.into();
    let request = format!("{}{body}", head(method, path, token, body.len()));
    let mut stream = connected(door.port)?;
    let Some(config) = door.secure else {
        stream.write_all(request.as_bytes()).map_err(|error| format!("send: {error}"))?;
        return answered(stream);
    };
    let name = ServerName::try_from(HOST).unwrap();
    let session = ClientConnection::new(config, name).map_err(|error| format!("TLS: {error}"))?;
    let mut stream = StreamOwned::new(session, stream);
    stream.write_all(request.as_bytes()).map_err(|error| format!("send: {error}"))?;
    answered(stream)
}

/// A connection without TLS on which the head of a request was sent.
pub fn opened(port: u16, method: &str, path: &str, token: &str, length: usize) -> Result<TcpStream, String> {
    let mut stream = connected(port)?;
    let head = head(method, path, token, length);
    stream.write_all(head.as_bytes()).map_err(|error| format!("send: {error}"))?;
    Ok(stream)
}

fn connected(port: u16) -> Result<TcpStream, String> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))
        .map_err(|error| format!("connect: {error}"))?;
    stream.set_read_timeout(Some(ANSWER)).map_err(|error| error.to_string())?;
    stream.set_write_timeout(Some(ANSWER)).map_err(|error| error.to_string())?;
    Ok(stream)
}

fn head(method: &str, path: &str, token: &str, length: usize) -> String {
    let authorization = match token {
        "" => String::new(),
        header if header.contains(": ") => format!("{header}\r\n"),
        token => format!("authorization: Bearer {token}\r\n"),
    };
    format!(
        "{method} {path} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{authorization}content-length: {length}\r\n\r\n"
    )
}

/// The answer, read to its end.
pub fn answered(mut stream: impl Read) -> Result<Answer, String> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).map_err(|error| format!("receive: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| format!("no answer: {text:?}"))?;
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or("no status")?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { unchunked(body)? } else { body.to_owned() };
    Ok(Answer { status, head: head.to_owned(), body })
}

fn unchunked(mut rest: &str) -> Result<String, String> {
    let mut whole = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n").ok_or("the answer is cut short")?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(|error| error.to_string())?;
        if size == 0 {
            return Ok(whole);
        }
        whole.push_str(after.get(..size).ok_or("the answer is cut short")?);
        rest = after.get(size + 2..).ok_or("the answer is cut short")?;
    }
}
