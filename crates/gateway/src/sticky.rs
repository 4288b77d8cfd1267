//! Sticky sessions: a cookie that keeps a client with its backend, and tells nobody which one that is.

use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::{COOKIE, HeaderValue, SET_COOKIE};
use sha2::{Digest, Sha256};

use crate::backend::Backend;
use crate::place::Place;
use crate::rim;
use crate::sockets::note;
use crate::table::LiveRoute;

const KEY_BYTES: usize = 32;
/// The block of SHA-256.
const BLOCK_BYTES: usize = 64;
/// Digits of a cookie's value, and of what tells one route's cookie from another's.
const VALUE_DIGITS: usize = 32;
const NAME_DIGITS: usize = 8;

/// The key that cookies are signed with.
pub(crate) struct Sessions {
    key: [u8; KEY_BYTES],
}

impl Sessions {
    /// Takes the key of the state folder, or makes it. Where it cannot be kept, clients change their backends when the
    /// worker does, and nothing else happens.
    pub(crate) fn open(place: &Place) -> Self {
        let path = place.sticky_key();
        let kept = rim::read(&path, KEY_BYTES as u64).ok().flatten();
        if let Some(key) = kept.and_then(|bytes| bytes.try_into().ok()) {
            return Self { key };
        }
        let mut key = [0; KEY_BYTES];
        let made = getrandom::fill(&mut key).map_err(std::io::Error::other);
        if let Err(error) = made.and_then(|()| rim::replace(&path, &key)) {
            note(place, &format!("the key of sticky sessions cannot be kept: {error}"));
        }
        Self { key }
    }

    /// The backend of a route that a client's cookie names, if it is still there.
    pub(crate) fn find(&self, headers: &HeaderMap, route: &LiveRoute) -> Option<Arc<Backend>> {
        let name = cookie_name(route);
        let sent = value(headers, &name)?;
        route.backends.iter().find(|backend| same(sent, &self.value(backend))).cloned()
    }

    /// Has the client keep to a backend, where it does not already. `asked` is the request as the backend got it.
    pub(crate) fn keep(
        &self,
        asked: &HeaderMap,
        route: &LiveRoute,
        backend: &Backend,
        answer: &mut HeaderMap,
    ) {
        let (name, wanted) = (cookie_name(route), self.value(backend));
        if value(asked, &name).is_some_and(|sent| same(sent, &wanted)) {
            return;
        }
        // A path with a semicolon would end early; such a client is sent anywhere on that route.
        let path = Some(route.route.path.as_str()).filter(|path| !path.contains(';')).unwrap_or("/");
        let mut cookie = format!("{name}={wanted}; Path={path}; HttpOnly; SameSite=Lax");
        if asked.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https") {
            cookie.push_str("; Secure");
        }
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            answer.append(SET_COOKIE, cookie);
        }
    }

    fn value(&self, backend: &Backend) -> String {
        let named = [backend.project.as_str(), &backend.route, &backend.id].join("\0");
        hex(&sign(&self.key, named.as_bytes()), VALUE_DIGITS)
    }
}

fn cookie_name(route: &LiveRoute) -> String {
    let named = [route.project.as_str(), &route.route.name].join("\0");
    format!("seaworthy_{}", hex(&Sha256::digest(named.as_bytes()), NAME_DIGITS))
}

/// What the client sent under a name.
pub(crate) fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// Whether two values are the same, in a time that does not depend on where they differ.
fn same(left: &str, right: &str) -> bool {
    let differing = left.bytes().zip(right.bytes()).fold(0, |all, (left, right)| all | (left ^ right));
    left.len() == right.len() && differing == 0
}

/// HMAC with SHA-256 (RFC 2104), for keys that are no longer than a block.
fn sign(key: &[u8], message: &[u8]) -> Vec<u8> {
    let pad = |with: u8| {
        let mut block = [with; BLOCK_BYTES];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

fn hex(bytes: &[u8], digits: usize) -> String {
    bytes.iter().take(digits / 2).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_signs_as_others_do() {
        // RFC 4231, test case 2.
        let signed = sign(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(hex(&signed, 64), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; seaworthy_x=2;b"));
        headers.append(COOKIE, HeaderValue::from_static("c=a=b"));
        let found = ["a", "seaworthy_x", "b", "c", "seaworthy_"].map(|name| value(&headers, name));
        assert_eq!(found, [Some("1"), Some("2"), None, Some("a=b"), None]);
        assert!(same("ab", "ab") && !same("ab", "ac") && !same("ab", "a") && !same("", "a"));
    }

    proptest! {
        #[test]
        fn no_cookie_panics(line in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut headers = HeaderMap::new();
            if let Ok(line) = HeaderValue::from_bytes(&line) {
                headers.insert(COOKIE, line);
            }
            let _ = value(&headers, "a");
        }
    }
}
