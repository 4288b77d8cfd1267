//! A socket between the program and the daemon: it notes what is asked, and can spoil one call or answer in its place.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How late a late answer is.
const LATE: Duration = Duration::from_millis(1500);
/// Most that is read of one call's head or of one answer that is kept back.
const MOST: usize = 64 << 10;

/// What becomes of a spoilt call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The daemon never hears of it, and the connection is closed.
    Unheard,
    /// The daemon never hears of it; this status and message are the answer.
    Answer(u16, &'static str),
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// It is done, and the answer never comes.
    Hang,
    /// It is done, and the answer comes late.
    Late,
    /// It is done, and the answer breaks off in the middle.
    Close,
    /// The daemon never hears of it, and takes no connection from then on.
    Gone,
}

/// Which call is spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Counted from 1 among those that change something.
    Changing(usize),
    /// Counted from 1 among those that only look.
    Looking(usize),
    /// Every one whose method and path hold both words.
    Every(&'static str, &'static str),
}

/// The socket; it is gone with the test's folder.
pub struct Proxy {
    pub socket: PathBuf,
    shared: Arc<Shared>,
}

struct Shared {
    fault: Option<(Call, Fault)>,
    asked: Mutex<Vec<String>>,
    changing: AtomicUsize,
    looking: AtomicUsize,
    hit: Mutex<Option<String>>,
    gone: AtomicBool,
}

/// The daemon's own socket: `DOCKER_HOST`, else the usual one.
fn daemon() -> String {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    host.strip_prefix("unix://").unwrap_or("/var/run/docker.sock").to_owned()
}

impl Proxy {
    /// Listens in `folder`, and spoils what `fault` names.
    pub fn start(folder: &Path, name: &str, fault: Option<(Call, Fault)>) -> Self {
        let socket = folder.join(name);
        let listener = UnixListener::bind(&socket).unwrap();
        let shared = Arc::new(Shared {
            fault,
            asked: Mutex::default(),
            changing: AtomicUsize::default(),
            looking: AtomicUsize::default(),
            hit: Mutex::default(),
            gone: AtomicBool::default(),
        });
        let proxy = Self { socket, shared: shared.clone() };
        let wake = proxy.socket.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.gone.load(Ordering::SeqCst) {
                    // The listener goes with this thread: from here on connections are refused.
                    return;
                }
                let (shared, wake) = (shared.clone(), wake.clone());
                std::thread::spawn(move || {
                    shared.pass(client);
                    if shared.gone.load(Ordering::SeqCst) {
                        let _ = UnixStream::connect(wake);
                    }
                });
            }
        });
        proxy
    }

    /// `METHOD path` of every call so far that may change something.
    pub fn changing(&self) -> Vec<String> {
        let asked = self.shared.asked.lock().unwrap();
        asked.iter().filter(|call| !looks(call)).cloned().collect()
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.shared.asked.lock().unwrap().len()
    }

    /// How long the program should wait for an answer: not for ever where one never comes.
    pub fn patience(&self) -> Duration {
        let hangs = self.shared.fault.is_some_and(|(_, fault)| fault == Fault::Hang);
        Duration::from_secs(if hangs { 4 } else { 120 })
    }

    /// The call that was spoilt, when it came to it.
    pub fn hit(&self) -> Option<String> {
        self.shared.hit.lock().unwrap().clone()
    }
}

fn looks(call: &str) -> bool {
    call.starts_with("GET ") || call.starts_with("HEAD ")
}

impl Shared {
    /// Passes one connection on; the program makes one for each call.
    fn pass(&self, mut client: UnixStream) {
        let mut first = vec![0; MOST];
        let length = client.read(&mut first).unwrap_or(0);
        if length == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&first[..length]).into_owned();
        let call: Vec<&str> = text.lines().next().unwrap_or_default().split(' ').take(2).collect();
        let call = call.join(" ");
        self.asked.lock().unwrap().push(call.clone());
        let fault = self.fault_of(&call);
        match fault {
            Some(Fault::Unheard) => return,
            Some(Fault::Gone) => return self.gone.store(true, Ordering::SeqCst),
            Some(Fault::Answer(status, message)) => return answer(&mut client, status, message),
            _ => {}
        }
        let Ok(mut daemon) = UnixStream::connect(daemon()) else { return };
        if daemon.write_all(&first[..length]).is_err() {
            return;
        }
        let (mut from, mut to) = (client.try_clone().unwrap(), daemon.try_clone().unwrap());
        let ended = Arc::new(AtomicBool::default());
        let told = ended.clone();
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            told.store(true, Ordering::SeqCst);
            let _ = to.shutdown(Shutdown::Write);
        });
        let Some(fault) = fault else {
            let _ = std::io::copy(&mut daemon, &mut client);
            let _ = client.shutdown(Shutdown::Both);
            return;
        };
        let length = daemon.read(&mut first).unwrap_or(0);
        match fault {
            Fault::Hang => wait_for(&ended),
            Fault::Late => {
                std::thread::sleep(LATE);
                let _ = client.write_all(&first[..length]);
                let _ = std::io::copy(&mut daemon, &mut client);
            }
            Fault::Close => {
                let _ = client.write_all(&first[..length / 2]);
            }
            _ => {}
        }
        let _ = client.shutdown(Shutdown::Both);
    }

    fn fault_of(&self, call: &str) -> Option<Fault> {
        let (counter, looks) = if looks(call) { (&self.looking, true) } else { (&self.changing, false) };
        let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
        let (which, fault) = self.fault?;
        let meant = match which {
            Call::Changing(wanted) => !looks && wanted == number,
            Call::Looking(wanted) => looks && wanted == number,
            Call::Every(method, path) => {
                call.starts_with(method) && call.split(' ').nth(1).is_some_and(|asked| asked.contains(path))
            }
        };
        if !meant {
            return None;
        }
        *self.hit.lock().unwrap() = Some(call.to_owned());
        Some(fault)
    }
}

/// Answers in the daemon's place, in its words.
fn answer(client: &mut UnixStream, status: u16, message: &str) {
    let body = match message.starts_with('{') {
        true => message.to_owned(),
        false => serde_json::json!({ "message": message }).to_string(),
    };
    let _ = write!(
        client,
        "HTTP/1.1 {status} Spoilt\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = client.shutdown(Shutdown::Write);
    // What the client still sends is read to its end: closing on it would take the answer away.
    let mut rest = [0; 4096];
    while client.read(&mut rest).is_ok_and(|length| length > 0) {}
}

/// Waits until the client gave up.
fn wait_for(ended: &AtomicBool) {
    let until = Instant::now() + Duration::from_secs(300);
    while !ended.load(Ordering::SeqCst) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
}
