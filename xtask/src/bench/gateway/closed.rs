//! The closed model: `wrk`, or `h2load` where it is HTTP/2, sends the next request on a connection when the answer to the one before is there.

use std::error::Error;
use std::path::Path;

use super::pinned::Pin;

/// What a run of it came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Counted {
    pub(super) requests: u64,
    pub(super) per_second: f64,
    /// Connections that broke, answers that took too long and answers that say something else than success.
    pub(super) failed: u64,
}

pub(super) fn run(
    wrk: &Path,
    pin: Pin,
    address: &str,
    (connections, fresh): (u32, bool),
    seconds: u32,
) -> Result<Counted, Box<dyn Error>> {
    let mut command = pin.command(wrk);
    command.args(["-t", "1", "-c", &connections.to_string(), "-d", &seconds.to_string(), "--timeout", "10s"]);
    if fresh {
        command.args(["-H", "Connection: close"]);
    }
    let ran = command.arg(address).output()?;
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    read(&text).ok_or_else(|| {
        format!("`wrk` told nothing of use: {text}{}", String::from_utf8_lossy(&ran.stderr)).into()
    })
}

/// The same over HTTP/2, with so many requests at a time on each connection.
pub(super) fn streams(
    h2load: &Path,
    pin: Pin,
    address: &str,
    (connections, streams): (u32, u32),
    seconds: u32,
) -> Result<Counted, Box<dyn Error>> {
    let mut command = pin.command(h2load);
    command.args(["-t", "1", "-c", &connections.to_string(), "-m", &streams.to_string()]);
    let ran = command.args(["-D", &seconds.to_string(), address]).output()?;
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    read_streams(&text).ok_or_else(|| {
        format!("`h2load` told nothing of use: {text}{}", String::from_utf8_lossy(&ran.stderr)).into()
    })
}

/// Reads what `h2load` prints. Requests that were under way when its time was over count as neither.
fn read_streams(text: &str) -> Option<Counted> {
    let line = |start: &str| text.lines().find_map(|line| line.trim().strip_prefix(start));
    let before = |line: &str, name: &str| -> Option<u64> {
        let part = line.split(',').find_map(|part| part.trim().strip_suffix(name))?;
        part.trim().parse().ok()
    };
    let counts = line("requests:")?;
    let codes = line("status codes:")?;
    let per_second =
        line("finished in ")?.split(',').find_map(|part| part.trim().strip_suffix(" req/s"))?.parse().ok()?;
    let wrong = before(codes, " 4xx")? + before(codes, " 5xx")?;
    let requests = before(codes, " 2xx")?;
    Some(Counted { requests, per_second, failed: wrong + before(counts, " timeout")? })
}

/// Reads what it prints.
fn read(text: &str) -> Option<Counted> {
    let after = |name: &str| text.lines().find_map(|line| line.trim().strip_prefix(name));
    let summary = text.lines().find(|line| line.contains(" requests in "))?;
    let requests = summary.split_whitespace().next()?.parse().ok()?;
    let per_second = after("Requests/sec:")?.trim().parse().ok()?;
    let number = |word: &str| word.trim_end_matches(',').parse::<u64>().ok();
    let sockets: u64 =
        after("Socket errors:").map_or(0, |line| line.split_whitespace().filter_map(number).sum());
    let answers = after("Non-2xx or 3xx responses:").and_then(|line| line.trim().parse().ok()).unwrap_or(0);
    Some(Counted { requests, per_second, failed: sockets + answers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_words_are_understood() {
        let text = "Running 3s test @ http://127.0.0.1:1/\n  89512 requests in 3.01s, 14.52MB read\n  Socket errors: \
                    connect 0, read 2, write 0, timeout 1\n  Non-2xx or 3xx responses: 4\nRequests/sec:  29738.21\n";
        assert_eq!(read(text), Some(Counted { requests: 89_512, per_second: 29_738.21, failed: 7 }));
        assert_eq!(read("unable to connect"), None);
    }

    #[test]
    fn the_words_of_the_other_are_understood() {
        let text = "finished in 3.01s, 29738.21 req/s, 3.61MB/s\nrequests: 89524 total, 89524 started, 89512 done, 89512 \
                    succeeded, 0 failed, 0 errored, 1 timeout\nstatus codes: 89510 2xx, 0 3xx, 0 4xx, 2 5xx\n";
        let told = Counted { requests: 89_510, per_second: 29_738.21, failed: 3 };
        assert_eq!(read_streams(text), Some(told));
        assert_eq!(read_streams("unable to connect"), None);
    }
}
