//! A socket between the program and the daemon: it notes what is asked, and can spoil one call that changes something.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// The daemon's own socket.
const DAEMON: &str = "/var/run/docker.sock";

/// What becomes of the spoilt call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The daemon never hears of it.
    Refuse,
    /// It is done, and the answer is lost.
    LoseAnswer,
}

/// The socket; it is gone with the test's folder.
pub struct Proxy {
    pub socket: PathBuf,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Listens in `folder`; `fault` names the call that is spoilt, counted from 1 among those that change something.
    pub fn start(folder: &Path, name: &str, fault: Option<(usize, Fault)>) -> Self {
        let socket = folder.join(name);
        let listener = UnixListener::bind(&socket).unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (noted, count) = (asked.clone(), Arc::new(AtomicUsize::new(0)));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (noted, count) = (noted.clone(), count.clone());
                std::thread::spawn(move || pass(client, &noted, &count, fault));
            }
        });
        Self { socket, asked }
    }

    /// `METHOD path` of every call so far that may change something.
    pub fn changing(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().filter(|call| !call.starts_with("GET ")).cloned().collect()
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

/// Passes one connection on; the program makes one for each call.
fn pass(
    mut client: UnixStream,
    asked: &Mutex<Vec<String>>,
    count: &AtomicUsize,
    fault: Option<(usize, Fault)>,
) {
    let mut first = vec![0; 64 << 10];
    let length = client.read(&mut first).unwrap_or(0);
    let text = String::from_utf8_lossy(&first[..length]).into_owned();
    let call: Vec<&str> = text.lines().next().unwrap_or_default().split(' ').take(2).collect();
    asked.lock().unwrap().push(call.join(" "));
    let changes = call.first().is_some_and(|method| *method != "GET");
    let number = if changes { count.fetch_add(1, Ordering::SeqCst) + 1 } else { 0 };
    let spoilt = fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault);
    if spoilt == Some(Fault::Refuse) {
        return;
    }
    let Ok(mut daemon) = UnixStream::connect(DAEMON) else { return };
    if daemon.write_all(&first[..length]).is_err() {
        return;
    }
    let (mut from, mut to) = (client.try_clone().unwrap(), daemon.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    if spoilt == Some(Fault::LoseAnswer) {
        let _ = daemon.read(&mut first);
        let _ = client.shutdown(Shutdown::Both);
        return;
    }
    let _ = std::io::copy(&mut daemon, &mut client);
    let _ = client.shutdown(Shutdown::Both);
}
