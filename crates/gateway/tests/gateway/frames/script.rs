//! How the cases are written down.

use crate::catalogue::{repeated, unescaped};

/// The reasons of RFC 9113, section 7, by their number.
pub(super) const CODES: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];
/// The types of frames, by their number.
const TYPES: [&str; 10] = [
    "DATA",
    "HEADERS",
    "PRIORITY",
    "RST_STREAM",
    "SETTINGS",
    "PUSH_PROMISE",
    "PING",
    "GOAWAY",
    "WINDOW_UPDATE",
    "CONTINUATION",
];
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What is to come of it.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    Answers(u16, usize),
    Pong,
    Reset(String),
    Goaway(String),
    Closed,
}

/// What a client sends, and what is to come of it.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) wanted: Wanted,
    pub(super) bytes: Vec<u8>,
    /// How often it says how it wants to be spoken with.
    pub(super) settings: usize,
}

pub(super) fn cases() -> Vec<Case> {
    let lines = include_str!("cases.txt").lines();
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(case).collect()
}

fn case(line: &str) -> Case {
    let (wanted, rest) = line.split_once(' ').unwrap();
    let (name, frames) = rest.trim_start().split_once(' ').unwrap();
    let mut bytes = GREETING.to_vec();
    let (mut settings, mut stream) = (0, 1);
    let frames = match frames.trim_start().strip_prefix("BARE & ") {
        Some(frames) => frames,
        None => {
            bytes.extend(frame(4, 0, 0, b""));
            settings = 1;
            frames.trim_start()
        }
    };
    // What is repeated is the rest of its line, or, after other frames, the one frame.
    let mut frames: Vec<(usize, Vec<&str>)> = match frames.split_once("* ") {
        Some((times, all)) if times.parse::<usize>().is_ok() => {
            vec![(times.parse().unwrap(), all.split(" & ").collect())]
        }
        _ => frames.split(" & ").map(|one| (1, vec![one])).collect(),
    };
    for (times, group) in &mut frames {
        if let [one] = group.as_mut_slice()
            && let Some((count, rest)) = one.split_once("* ")
            && let Ok(count) = count.parse()
        {
            (*times, *one) = (count, rest);
        }
        for _ in 0..*times {
            for text in group.iter() {
                let one = written(text, name, &mut stream);
                settings += usize::from(one[3] == 4 && one[4] & 1 == 0);
                bytes.extend(one);
            }
        }
    }
    Case { name: name.to_owned(), wanted: expected(wanted), bytes, settings }
}

fn expected(text: &str) -> Wanted {
    match text.split_once(':') {
        Some(("reset", code)) => Wanted::Reset(code.to_owned()),
        Some(("goaway", code)) => Wanted::Goaway(code.split('(').next().unwrap().to_owned()),
        _ if text == "closed" => Wanted::Closed,
        _ if text == "pong" => Wanted::Pong,
        _ => {
            let (status, times) = text.split_once('x').unwrap_or((text, "1"));
            Wanted::Answers(status.parse().unwrap(), times.parse().unwrap())
        }
    }
}

fn written(text: &str, name: &str, next: &mut u32) -> Vec<u8> {
    let (head, payload) = text.split_once(' ').unwrap_or((text, ""));
    let parts: Vec<&str> = head.split(':').collect();
    let [kind, flags, stream] = parts[..] else { panic!("no frame: {text}") };
    let kind = match kind.strip_prefix("FRAME") {
        Some(number) => u8::from_str_radix(number, 16).unwrap(),
        None => u8::try_from(TYPES.iter().position(|known| *known == kind).unwrap()).unwrap(),
    };
    let stream = match stream {
        "n" => {
            *next += 2;
            *next - 2
        }
        "s" => *next - 2,
        number => u32::from_str_radix(number, 16).unwrap(),
    };
    let path = format!("<:path|/{name}>");
    let payload = payload
        .replace("$get", "<:method|GET><:scheme|http>$path<:authority|a>")
        .replace("$post", "<:method|POST><:scheme|http>$path<:authority|a>")
        .replace("$path", &path);
    frame(kind, u8::from_str_radix(flags, 16).unwrap(), stream, &block(&repeated(&payload)))
}

/// Bytes, with fields among them.
fn block(text: &str) -> Vec<u8> {
    let Some((before, rest)) = text.split_once('<') else { return unescaped(text) };
    let (field, after) = rest.split_once('>').unwrap();
    let (name, value) = field.split_once('|').unwrap();
    let mut bytes = unescaped(before);
    // A field that is not to be kept in the table, with its name in full (RFC 7541, section 6.2.2).
    bytes.push(0);
    for text in [name, value] {
        let text = unescaped(text);
        bytes.extend(length(text.len()));
        bytes.extend(text);
    }
    bytes.extend(block(after));
    bytes
}

/// A number with seven bits in its first byte (RFC 7541, section 5.1).
fn length(mut number: usize) -> Vec<u8> {
    if number < 127 {
        return vec![u8::try_from(number).unwrap()];
    }
    number -= 127;
    let mut bytes = vec![127];
    while number >= 128 {
        bytes.push(u8::try_from(number % 128).unwrap() | 128);
        number /= 128;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}
