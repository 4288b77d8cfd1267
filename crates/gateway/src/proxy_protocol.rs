//! The PROXY protocol, versions 1 and 2: who a connection comes from, told by the balancer in front of this one.

mod accept;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::route::ProxyVersion;

pub(crate) use accept::accept;

/// What version 2 begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The bytes of version 2 before the addresses.
const FIXED: usize = 16;
/// The shortest header there is, `PROXY UNKNOWN` with its line end: so much can be read without reading too much.
const SHORTEST: usize = 15;
/// The longest header of version 1, and of version 2 that is taken: its addresses and a little more of what nobody here reads.
const LONGEST_TEXT: usize = 107;
const LONGEST_BINARY: usize = 2048;

/// What the bytes so far say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// The header ends after so many bytes. The client; none where the balancer speaks for itself, or does not know.
    Whole(usize, Option<SocketAddr>),
    /// At least so many bytes are needed in all.
    More(usize),
    /// It is no header.
    Malformed,
}

/// Reads a header at the start of `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    let start = &bytes[..bytes.len().min(SIGNATURE.len())];
    if SIGNATURE.starts_with(start) && !start.is_empty() {
        return if bytes.len() < FIXED { Parsed::More(FIXED) } else { binary(bytes) };
    }
    let prefix = b"PROXY ";
    if !bytes.starts_with(prefix) && !prefix.starts_with(bytes) {
        return Parsed::Malformed;
    }
    text(bytes)
}

fn text(bytes: &[u8]) -> Parsed {
    let Some(end) = bytes.iter().take(LONGEST_TEXT).position(|byte| *byte == b'\n') else {
        return if bytes.len() >= LONGEST_TEXT {
            Parsed::Malformed
        } else {
            Parsed::More((bytes.len() + 1).max(SHORTEST))
        };
    };
    let line = bytes[..end].strip_suffix(b"\r").and_then(|line| std::str::from_utf8(line).ok());
    match line.and_then(told) {
        Some(client) => Parsed::Whole(end + 1, client),
        None => Parsed::Malformed,
    }
}

/// What a line of version 1 tells: words with one space between them, and nothing after the last.
fn told(line: &str) -> Option<Option<SocketAddr>> {
    let mut words = line.split(' ');
    words.next().filter(|word| *word == "PROXY")?;
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(None);
    }
    let (source, target) = (words.next()?, words.next()?);
    let (source_port, target_port) = (port(words.next()?)?, port(words.next()?)?);
    if words.next().is_some() {
        return None;
    }
    let _ = target_port;
    let source: IpAddr = match family {
        "TCP4" => target.parse::<Ipv4Addr>().and_then(|_| source.parse::<Ipv4Addr>()).ok()?.into(),
        "TCP6" => target.parse::<Ipv6Addr>().and_then(|_| source.parse::<Ipv6Addr>()).ok()?.into(),
        _ => return None,
    };
    Some(Some(SocketAddr::new(source, source_port)))
}

/// Decimal digits without a zero in front.
fn port(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

fn binary(bytes: &[u8]) -> Parsed {
    let length = usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
    let whole = FIXED + length;
    if whole > LONGEST_BINARY {
        return Parsed::Malformed;
    }
    let command = match bytes[12] {
        // LOCAL: the balancer itself asks, as for health.
        0x20 => false,
        0x21 => true,
        _ => return Parsed::Malformed,
    };
    let Some(body) = bytes.get(FIXED..whole) else { return Parsed::More(whole) };
    let client = match bytes[13] {
        0x11 => four(body),
        0x21 => six(body),
        // Nothing told, datagrams, and sockets of one machine: no address that could be used.
        0x00 | 0x12 | 0x22 | 0x31 | 0x32 => return Parsed::Whole(whole, None),
        _ => return Parsed::Malformed,
    };
    match client {
        Some(client) => Parsed::Whole(whole, command.then_some(client)),
        None if command => Parsed::Malformed,
        None => Parsed::Whole(whole, None),
    }
}

/// Both addresses, then both ports.
fn four(body: &[u8]) -> Option<SocketAddr> {
    let (source, rest) = body.split_first_chunk::<4>()?;
    let (port, _) = rest.get(4..8)?.split_first_chunk::<2>()?;
    Some(SocketAddr::new(Ipv4Addr::from(*source).into(), u16::from_be_bytes(*port)))
}

fn six(body: &[u8]) -> Option<SocketAddr> {
    let (source, rest) = body.split_first_chunk::<16>()?;
    let (port, _) = rest.get(16..20)?.split_first_chunk::<2>()?;
    Some(SocketAddr::new(Ipv6Addr::from(*source).into(), u16::from_be_bytes(*port)))
}

/// The header that tells a backend of a client.
pub(crate) fn header(version: ProxyVersion, client: SocketAddr, listen: SocketAddr) -> Vec<u8> {
    // One of each family cannot be told; both can as IPv6.
    let (from, to) = match (client.ip().to_canonical(), listen.ip().to_canonical()) {
        (from @ IpAddr::V4(_), to @ IpAddr::V4(_)) => (from, to),
        (from, to) => (IpAddr::V6(six_of(from)), IpAddr::V6(six_of(to))),
    };
    if version == ProxyVersion::V1 {
        let family = if from.is_ipv4() { "TCP4" } else { "TCP6" };
        return format!("PROXY {family} {from} {to} {} {}\r\n", client.port(), listen.port()).into_bytes();
    }
    let mut addresses = Vec::new();
    for address in [from, to] {
        match address {
            IpAddr::V4(address) => addresses.extend(address.octets()),
            IpAddr::V6(address) => addresses.extend(address.octets()),
        }
    }
    addresses.extend(client.port().to_be_bytes());
    addresses.extend(listen.port().to_be_bytes());
    let family = if from.is_ipv4() { 0x11 } else { 0x21 };
    // At most 36 bytes.
    let length = u8::try_from(addresses.len()).unwrap_or_default();
    [&SIGNATURE[..], &[0x21, family, 0, length], &addresses].concat()
}

fn six_of(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// What must hold for any bytes: a header that is whole stays so whatever follows, and one that needs more says how much.
#[cfg(any(test, feature = "test-util"))]
pub(crate) fn hold(bytes: &[u8]) {
    match parse(bytes) {
        Parsed::Whole(length, client) => {
            assert!((SHORTEST..=bytes.len()).contains(&length));
            assert_eq!(parse(&bytes[..length]), Parsed::Whole(length, client));
            assert!(matches!(parse(&bytes[..length - 1]), Parsed::More(more) if more <= length));
        }
        Parsed::More(more) => assert!(more > bytes.len() && more <= LONGEST_BINARY),
        Parsed::Malformed => {
            let longer = [bytes, b"\r\n"].concat();
            assert_eq!(parse(&longer), Parsed::Malformed);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_read_to_the_letter() {
        let whole = |line: &str| parse(format!("{line}\r\nGET /").as_bytes());
        let client = |text: &str, line: &str| Parsed::Whole(line.len() + 2, Some(text.parse().unwrap()));
        let line = "PROXY TCP4 203.0.113.7 10.0.0.1 65535 80";
        assert_eq!(whole(line), client("203.0.113.7:65535", line));
        let line = "PROXY TCP6 2001:db8::1 ::1 1 443";
        assert_eq!(whole(line), client("[2001:db8::1]:1", line));
        assert_eq!(whole("PROXY UNKNOWN"), Parsed::Whole(15, None));
        assert_eq!(whole("PROXY UNKNOWN ffff::1 whatever"), Parsed::Whole(32, None));
        for wrong in [
            "proxy TCP4 1.2.3.4 1.2.3.4 1 1",
            "PROXY  TCP4 1.2.3.4 1.2.3.4 1 1",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 1 ",
            "PROXY TCP4 1.2.3.4 1.2.3.4 01 1",
            "PROXY TCP4 1.2.3.4 1.2.3.4 +1 1",
            "PROXY TCP4 1.2.3.4 1.2.3.4 65536 1",
            "PROXY TCP4 ::1 ::1 1 1",
            "PROXY TCP6 1.2.3.4 1.2.3.4 1 1",
            "PROXY UDP4 1.2.3.4 1.2.3.4 1 1",
            "GET / HTTP/1.1",
        ] {
            assert_eq!(whole(wrong), Parsed::Malformed, "{wrong}");
        }
        assert_eq!(parse(b"PROXY UNKNOWN\n"), Parsed::Malformed, "a bare line feed");
        assert_eq!(parse(&[b"PROXY ".as_slice(), &[b'x'; 120]].concat()), Parsed::Malformed, "too long");
    }

    #[test]
    fn binary_is_read_and_what_it_cannot_be_is_refused() {
        let of = |command: u8, family: u8, body: &[u8]| {
            [&SIGNATURE[..], &[command, family, 0, u8::try_from(body.len()).unwrap()], body].concat()
        };
        let body = [203, 0, 113, 7, 10, 0, 0, 1, 0x12, 0x34, 0, 80];
        let client = Some("203.0.113.7:4660".parse().unwrap());
        assert_eq!(parse(&of(0x21, 0x11, &body)), Parsed::Whole(28, client));
        assert_eq!(parse(&of(0x21, 0x11, &[&body[..], b"more"].concat())), Parsed::Whole(32, client));
        assert_eq!(parse(&of(0x20, 0x11, &body)), Parsed::Whole(28, None), "the balancer itself");
        assert_eq!(parse(&of(0x20, 0x00, &[])), Parsed::Whole(16, None));
        assert_eq!(parse(&of(0x21, 0x31, &[0; 216])), Parsed::Whole(232, None));
        for (command, family, body) in [
            (0x11, 0x11, &body[..]),
            (0x22, 0x11, &body),
            (0x21, 0x13, &body),
            (0x21, 0x11, &body[..11]),
            (0x21, 0x21, &body),
        ] {
            assert_eq!(parse(&of(command, family, body)), Parsed::Malformed, "{command:x} {family:x}");
        }
        let long = [&SIGNATURE[..], &[0x21, 0x11, 0xff, 0xff]].concat();
        assert_eq!(parse(&long), Parsed::Malformed, "longer than anybody needs");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(client: (IpAddr, u16), listen: (IpAddr, u16), two: bool) {
            let version = if two { ProxyVersion::V2 } else { ProxyVersion::V1 };
            let (client, listen) = (SocketAddr::from(client), SocketAddr::from(listen));
            let written = header(version, client, listen);
            let Parsed::Whole(length, Some(read)) = parse(&written) else { panic!("{written:?}") };
            prop_assert_eq!(length, written.len());
            prop_assert_eq!((read.ip().to_canonical(), read.port()), (client.ip().to_canonical(), client.port()));
            hold(&written);
            (0..written.len()).for_each(|end| hold(&written[..end]));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), prefix in 0_usize..3) {
            let prefix: &[u8] = [&b""[..], b"PROXY TCP4 ", &SIGNATURE][prefix];
            hold(&[prefix, &bytes].concat());
        }
    }
}
