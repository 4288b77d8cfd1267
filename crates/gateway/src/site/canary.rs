//! A part of the clients is sent to another route of the project, and stays with it.

use std::net::IpAddr;

use hyper::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use sha2::{Digest, Sha256};

use crate::route::Canary;
use crate::sticky;

/// In it a client keeps its number, from 0 to 99: it belongs to the canary while that has a greater share.
const BEGIN: &str = "seaworthy_canary_";
/// How long it is kept.
const SECONDS: u64 = 30 * 24 * 3600;

/// Where a client is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) canary: bool,
    /// The number that its browser has to be told.
    new: Option<u16>,
}

/// The choice of a client: by the number in its cookie, else by one that is the same for the same address, so that clients
/// without cookies keep theirs too.
pub(super) fn choose(told: &Canary, headers: &HeaderMap, client: IpAddr) -> Choice {
    let said = headers.contains_key(COOKIE).then(|| sticky::value(headers, &name(told))).flatten();
    let known = said.and_then(|said| said.parse().ok()).filter(|number| *number < 100);
    let number = known.unwrap_or_else(|| number(told, client));
    Choice { canary: number < u16::from(told.percent), new: known.is_none().then_some(number) }
}

/// Where an address stands between 0 and 99.
fn number(told: &Canary, client: IpAddr) -> u16 {
    let digest = Sha256::new().chain_update(&told.route).chain_update(client.to_string()).finalize();
    digest.iter().take(2).fold(0, |number: u16, byte| number << 8 | u16::from(*byte)) % 100
}

fn name(told: &Canary) -> String {
    let digest = Sha256::digest(&told.route);
    let digits: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{BEGIN}{digits}")
}

/// Has the client keep its number.
pub(super) fn keep(told: &Canary, choice: Choice, path: &str, secure: bool, answer: &mut HeaderMap) {
    let Some(number) = choice.new else { return };
    let path = if path.is_empty() || path.contains(';') { "/" } else { path };
    let (name, end) = (name(told), if secure { "; Secure" } else { "" });
    let cookie = format!("{name}={number}; Path={path}; Max-Age={SECONDS}; HttpOnly; SameSite=Lax{end}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        answer.append(SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(percent: u8, cookie: Option<&str>, client: &str) -> Choice {
        let told = Canary { route: "next".to_owned(), percent };
        let mut headers = HeaderMap::new();
        if let Some(value) = cookie {
            headers.insert(COOKIE, format!("a=b; {}={value}", name(&told)).parse().unwrap());
        }
        choose(&told, &headers, client.parse().unwrap())
    }

    #[test]
    fn about_so_many_and_more_of_them_with_a_greater_share() {
        let clients =
            || (0..=255_u8).flat_map(|third| (0..8).map(move |last| format!("10.0.{third}.{last}")));
        let share = |percent: u8| clients().filter(|client| chosen(percent, None, client).canary).count();
        assert_eq!((share(0), share(100)), (0, 2048));
        assert!((150..=260).contains(&share(10)), "{}", share(10));
        for client in clients().filter(|client| chosen(10, None, client).canary) {
            assert!(chosen(11, None, &client).canary, "nobody goes back");
        }
        let known = |percent: u8, number: &str| chosen(percent, Some(number), "10.0.0.1");
        assert_eq!(known(10, "9"), Choice { canary: true, new: None });
        assert_eq!(known(10, "10"), Choice { canary: false, new: None });
        assert!(!known(0, "0").canary && known(100, "99").canary);
        assert_eq!(known(10, "100"), chosen(10, None, "10.0.0.1"), "what is no number says nothing");
    }
}
