//! nginx and HAProxy on the same catalogue. Where they are not installed, it says so and compares nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{Case, cases};
use crate::rig::{PATIENCE, free_address};

/// How long a peer that neither answers nor closes is waited for: it wants more, which is no refusal.
const WANTS_MORE: Duration = Duration::from_millis(700);
/// What both refuse and the gateway does not, with the reason.
const ALLOWED: [(&str, &str); 1] = [("long-value-that-may-be", "their buffers are shorter")];

/// A program that stands in front of a backend.
struct Peer {
    name: &'static str,
    address: SocketAddr,
    child: Child,
    reached: Arc<AtomicUsize>,
    _folder: tempfile::TempDir,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers each connection's first head, and counts it.
fn backend() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, reached) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
    let counted = reached.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let counted = counted.clone();
            std::thread::spawn(move || {
                let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
                while !head.windows(4).any(|four| four == b"\r\n\r\n") {
                    match stream.read(&mut buffer) {
                        Ok(0) | Err(_) => return,
                        Ok(count) => head.extend_from_slice(&buffer[..count]),
                    }
                }
                counted.fetch_add(1, Ordering::SeqCst);
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            });
        }
    });
    (address, reached)
}

fn start(name: &'static str, program: &str) -> Option<Peer> {
    let program = [format!("/usr/sbin/{program}"), format!("/usr/bin/{program}")]
        .into_iter()
        .find(|path| Path::new(path).exists())?;
    let folder = tempfile::tempdir().unwrap();
    let ((backend, reached), address) = (backend(), free_address());
    let at = folder.path().display().to_string();
    let file = folder.path().join("settings");
    let (settings, arguments) = match name {
        "nginx" => (
            format!(
                "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log; events {{}}\n\
                 http {{ access_log off; client_body_temp_path {at}/a; proxy_temp_path {at}/b; fastcgi_temp_path {at}/c;\n\
                 uwsgi_temp_path {at}/d; scgi_temp_path {at}/e;\n\
                 server {{ listen {address}; location / {{ proxy_pass http://{backend}; }} }} }}\n"
            ),
            vec!["-c".to_owned(), file.display().to_string()],
        ),
        _ => (
            format!(
                "defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n\
                 frontend f\n bind {address}\n default_backend b\nbackend b\n server s {backend}\n"
            ),
            vec!["-db".to_owned(), "-f".to_owned(), file.display().to_string()],
        ),
    };
    std::fs::write(&file, settings).unwrap();
    let child =
        Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < end, "{name} listens");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(Peer { name, address, child, reached, _folder: folder })
}

/// The status of the first answer; none where the connection was closed without one, or more is wanted.
fn status(peer: &Peer, case: &Case) -> (Option<u16>, bool) {
    let before = peer.reached.load(Ordering::SeqCst);
    let mut stream = TcpStream::connect(peer.address).unwrap();
    stream.set_read_timeout(Some(WANTS_MORE)).unwrap();
    let _ = stream.write_all(&case.bytes);
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    while answer.len() < 12 {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
        }
    }
    let status = String::from_utf8_lossy(&answer).get(9..12).and_then(|status| status.parse().ok());
    (status, peer.reached.load(Ordering::SeqCst) > before)
}

#[test]
fn what_nginx_and_haproxy_both_refuse_is_refused_here_too() {
    let peers = [start("nginx", "nginx"), start("haproxy", "haproxy")];
    let [Some(nginx), Some(haproxy)] = &peers else {
        eprintln!("skipped: needs the programs nginx and haproxy (`apt-get install nginx-light haproxy`)");
        return;
    };
    let mut looser = Vec::new();
    for case in cases() {
        let theirs = [nginx, haproxy].map(|peer| (peer.name, status(peer, &case)));
        let said = theirs.map(|(name, (status, reached))| {
            format!(
                "{name}: {}{}",
                status.map_or("-".to_owned(), |status| status.to_string()),
                if reached { " passed" } else { "" }
            )
        });
        if theirs.iter().any(|(_, (_, reached))| *reached != (case.status == 200)) {
            println!("{} | {} | {}", case.name, case.status, said.join(" | "));
        }
        let both = theirs.iter().all(|(_, (_, reached))| !reached);
        if both && case.status == 200 && !ALLOWED.iter().any(|(name, _)| *name == case.name) {
            looser.push(case.name.clone());
        }
    }
    assert!(looser.is_empty(), "both refuse what the gateway passes: {looser:?}");
}
