//! Images are fetched from a registry that wants a login, and fails once.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seaworthy_engine::docker::DockerEngine;
use seaworthy_engine::{Artifact, Engine, EngineError};
use sha2::{Digest, Sha256};

use crate::bed::{Bed, options};
use crate::keys::service;

/// A registry of one image, on this machine alone.
struct Registry {
    address: String,
    /// Questions for the manifest that were let through the login; the first two, one try of the daemon, fail.
    asked: Arc<AtomicU32>,
    digest: String,
}

fn digest(bytes: &[u8]) -> String {
    let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hash}")
}

impl Registry {
    fn start() -> Self {
        let mut layer = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(5);
        header.set_mode(0o644);
        layer.append_data(&mut header, "hello", b"hello".as_slice()).unwrap();
        let layer = layer.into_inner().unwrap();
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
        let config = serde_json::json!({
            "architecture": architecture, "os": "linux", "config": { "Cmd": ["/hello"] },
            "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
        })
        .to_string()
        .into_bytes();
        let kind = "application/vnd.docker.distribution.manifest.v2+json";
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": kind,
            "config": { "mediaType": "application/vnd.docker.container.image.v1+json", "size": config.len(), "digest": digest(&config) },
            "layers": [{ "mediaType": "application/vnd.docker.image.rootfs.diff.tar", "size": layer.len(), "digest": digest(&layer) }],
        })
        .to_string()
        .into_bytes();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let registry = Self {
            address: listener.local_addr().unwrap().to_string(),
            asked: Arc::default(),
            digest: digest(&manifest),
        };
        let asked = registry.asked.clone();
        let blobs = vec![(digest(&config), config), (digest(&layer), layer)];
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = serve(stream, &asked, &manifest, kind, &blobs);
            }
        });
        registry
    }
}

fn serve(
    mut stream: TcpStream,
    asked: &AtomicU32,
    manifest: &[u8],
    kind: &str,
    blobs: &[(String, Vec<u8>)],
) -> std::io::Result<()> {
    let mut lines = Vec::new();
    let mut reader = BufReader::new(stream.try_clone()?.take(16 << 10));
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        lines.push(line);
    }
    let path = lines.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let login = format!("basic {}", STANDARD.encode("me:hunter2")).to_ascii_lowercase();
    let known = lines.iter().any(|line| line.to_ascii_lowercase().trim_end().ends_with(&login));
    let blob = blobs.iter().find(|(digest, _)| path.ends_with(digest));
    let (status, kind, body): (&str, &str, &[u8]) = match path {
        _ if !known => ("401 Unauthorized", "application/json", b"{}"),
        "/v2/" => ("200 OK", "application/json", b"{}"),
        path if path.contains("/manifests/") && asked.fetch_add(1, Ordering::SeqCst) < 2 => {
            ("503 Service Unavailable", "text/plain", b"busy")
        }
        path if path.contains("/manifests/") => ("200 OK", kind, manifest),
        _ => blob.map_or(("404 Not Found", "text/plain", b"".as_slice()), |(_, bytes)| {
            ("200 OK", "application/octet-stream", bytes.as_slice())
        }),
    };
    let head = lines.first().is_some_and(|line| line.starts_with("HEAD"));
    write!(
        stream,
        "HTTP/1.1 {status}\r\nwww-authenticate: Basic realm=\"test\"\r\ndocker-distribution-api-version: registry/2.0\r\ncontent-type: {kind}\r\ndocker-content-digest: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        digest(body),
        body.len()
    )?;
    if head { Ok(()) } else { stream.write_all(body) }
}

#[tokio::test]
async fn an_image_is_fetched_with_a_login_again_after_a_failure_and_pinned() {
    let bed = Bed::new().await;
    let registry = Registry::start();
    let case = bed.case_of(&service("", "")).await;
    let mut project = case.project.clone();
    let name = format!("{}/{}/web:1", registry.address, bed.project);
    let found = project.services.values_mut().next().unwrap();
    found.image.as_mut().unwrap().value.clone_from(&name);
    let found = found.clone();
    let stranger = bed.engine.build(&project, &found, &mut |_| {}).await.unwrap_err();
    assert!(matches!(stranger, EngineError::Artifact { .. }), "{stranger}");
    assert!(
        stranger.hint().is_some_and(|hint| hint.contains("docker login")),
        "{stranger}: {:?}",
        stranger.hint()
    );

    let auth = STANDARD.encode("me:hunter2");
    let settings = serde_json::json!({ "auths": { registry.address.clone(): { "auth": auth } } });
    std::fs::write(bed.folder.path().join("config.json"), settings.to_string()).unwrap();
    let mut options = options(bed.folder.path(), crate::bed::place());
    options.configuration = Some(bed.folder.path().to_owned());
    let engine = DockerEngine::new(options);
    let mut lines = Vec::new();
    engine.build(&project, &found, &mut |line| lines.push(line.to_owned())).await.unwrap();
    assert!(lines.iter().any(|line| line.contains("again in 1 s")), "{lines:?}");
    assert!(!lines.concat().contains("hunter2"));
    let pinned = Artifact { name: name.clone(), digest: registry.digest.clone() };
    assert_eq!(engine.inspect(&project, &found).await.unwrap().artifact, Some(pinned.clone()));
    let asked = registry.asked.load(Ordering::SeqCst);
    engine.build(&project, &found, &mut |_| {}).await.unwrap();
    assert_eq!(registry.asked.load(Ordering::SeqCst), asked, "what is there is not fetched again");
    let gone = None::<bollard::query_parameters::RemoveImageOptions>;
    let mut revision = case.revision.clone();
    (revision.artifact, revision.service) = (pinned, found);
    engine.prepare(&revision).await.unwrap();
    bed.api.remove_image(&name, gone, None).await.unwrap();
    engine.prepare(&revision).await.expect("it is kept though its name is gone");
}
