//! A client that says what it was told to, and writes down what it hears.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::script::{Case, Wanted, frame};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
/// The last word, by which its answer is known.
const LAST: &[u8; 8] = b"the end.";

/// What came back.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) statuses: Vec<u16>,
    /// Answers that are there as a whole.
    ended: usize,
    /// Reasons for which streams were reset.
    pub(super) resets: Vec<u32>,
    /// Why the connection ends, where it was said.
    pub(super) goaway: Option<u32>,
    pub(super) settings_acknowledged: usize,
    /// Whether the last word was answered.
    pub(super) pong: bool,
    pub(super) closed: bool,
    /// It took too long.
    pub(super) late: bool,
}

impl Heard {
    fn is_all(&self, wanted: &Wanted) -> bool {
        self.closed
            || self.pong
                && match wanted {
                    Wanted::Answers(_, times) => self.ended + self.resets.len() >= *times,
                    Wanted::Reset(_) => !self.resets.is_empty(),
                    Wanted::Pong => true,
                    Wanted::Goaway(_) | Wanted::Closed => false,
                }
    }

    fn take(&mut self, kind: u8, flags: u8, payload: &[u8]) {
        let number = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
        match kind {
            HEADERS if !payload.is_empty() => {
                self.statuses.extend(status(payload));
                self.ended += usize::from(flags & 1);
            }
            DATA => self.ended += usize::from(flags & 1),
            RST_STREAM => self.resets.push(number(0)),
            SETTINGS => self.settings_acknowledged += usize::from(flags & 1),
            PING => self.pong |= flags & 1 == 1 && payload == LAST,
            GOAWAY => self.goaway = Some(number(4)),
            _ => {}
        }
    }
}

/// The status that a block of fields begins with: nothing where those are trailers.
fn status(block: &[u8]) -> Option<u16> {
    // The size of the table may be told first.
    let block = if block[0] & 0xe0 == 0x20 { &block[1..] } else { block };
    match block[0] {
        indexed @ 0x88..=0x8e => Some([200, 204, 206, 304, 400, 404, 500][usize::from(indexed - 0x88)]),
        // In full, its name from the table, maybe in code: five bits for 0, 1 and 2, six for the other digits.
        0x08 | 0x48 if block[1] & 0x80 == 0 => std::str::from_utf8(&block[2..5]).ok()?.parse().ok(),
        0x08 | 0x48 => {
            let coded = &block[2..2 + usize::from(block[1] & 0x7f)];
            let bits: Vec<u32> = coded
                .iter()
                .flat_map(|byte| (0..8).rev().map(move |bit| u32::from(byte >> bit) & 1))
                .collect();
            let (mut at, mut status) = (0, 0);
            for _ in 0..3 {
                let value = |count: usize| bits[at..at + count].iter().fold(0, |all, bit| all * 2 + bit);
                let (digit, count) = if value(5) < 3 { (value(5), 5) } else { (value(6) - 0x16, 6) };
                (at, status) = (at + count, status * 10 + digit);
            }
            u16::try_from(status).ok()
        }
        _ => None,
    }
}

/// Says all of a case, and listens until what is wanted came or the connection ends.
pub(super) async fn talk(address: SocketAddr, case: &Case, patience: Duration) -> Heard {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let mut bytes = case.bytes.clone();
    bytes.extend(frame(PING, 0, 0, LAST));
    let says = tokio::spawn(async move {
        // Whoever is refused early reads no more.
        let _ = writer.write_all(&bytes).await;
        writer
    });
    let mut heard = Heard::default();
    let listening = async {
        while !heard.is_all(&case.wanted) {
            let mut head = [0; 9];
            if reader.read_exact(&mut head).await.is_err() {
                heard.closed = true;
                return;
            }
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            if reader.read_exact(&mut payload).await.is_err() {
                heard.closed = true;
                return;
            }
            heard.take(head[3], head[4], &payload);
        }
    };
    heard.late = timeout(patience, listening).await.is_err();
    says.abort();
    heard
}
