//! The terminal while a command runs in an instance: what is typed goes through as it is.

use std::io::{self, Read};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::mpsc;

/// What is handed on at a time.
const PART: usize = 4 << 10;

/// Hands on each key as it is typed, until it is dropped.
pub(crate) struct Raw {
    before: Termios,
}

impl Raw {
    /// Takes the terminal over; `None` when standard input is none.
    pub(crate) fn take() -> Option<Self> {
        let before = tcgetattr(io::stdin()).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw).ok()?;
        Some(Self { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
    }
}

/// The longest line that is typed unseen.
const LONGEST_LINE: usize = 4 << 10;
const INTERRUPT: u8 = 3;
const END: u8 = 4;
const ERASE_LINE: u8 = 21;

/// A line that a person types and nobody sees; nothing where it was called off, or there is no terminal.
pub(crate) fn unseen_line() -> Option<Vec<u8>> {
    let _raw = Raw::take()?;
    line_of(&mut io::stdin().lock())
}

/// A line of keys as they are typed.
fn line_of(keys: &mut impl Read) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let mut key = [0];
    while line.len() < LONGEST_LINE {
        keys.read_exact(&mut key).ok()?;
        match key[0] {
            b'\r' | b'\n' => return Some(line),
            INTERRUPT => return None,
            END if line.is_empty() => return None,
            ERASE_LINE => line.clear(),
            // A character may be several bytes, of which all but the first begin with the bits 10.
            0x08 | 0x7f => while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            byte => line.push(byte),
        }
    }
    Some(line)
}

/// Lines, and characters in a line.
pub(crate) fn size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(io::stdin()).ok()?;
    Some((size.ws_row, size.ws_col))
}

/// What comes in on standard input, read by a thread of its own: a read cannot be called off.
pub(crate) fn input() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut buffer = [0; PART];
        while let Ok(count @ 1..) = io::stdin().lock().read(&mut buffer) {
            if sender.blocking_send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_mend_and_end_a_line_do_so() {
        let typed = |keys: &str| line_of(&mut keys.as_bytes()).map(|line| String::from_utf8(line).unwrap());
        for (keys, line) in [
            ("sesame\r", Some("sesame")),
            ("sesamf\x7fe\nmore", Some("sesame")),
            ("ü\x7f\x08se\r", Some("se")),
            ("wrong\x15sesame\r", Some("sesame")),
            ("\r", Some("")),
            ("ses\x03", None),
            ("\x04", None),
            ("ses", None),
        ] {
            assert_eq!(typed(keys).as_deref(), line, "{keys:?}");
        }
    }
}
