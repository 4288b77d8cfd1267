//! Clients that keep the cookies they are given.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::HeaderMap;
use hyper::header::{COOKIE, HeaderValue, SET_COOKIE};

/// The cookies of each client.
pub(in crate::load) struct Jar {
    cookies: Mutex<Vec<Option<HeaderValue>>>,
}

impl Jar {
    pub(super) fn new(clients: usize) -> Self {
        Self { cookies: Mutex::new(vec![None; clients.max(1)]) }
    }

    /// Adds the cookie of the client whose turn request `index` is.
    pub(in crate::load) fn send(&self, index: u64, headers: &mut HeaderMap) {
        let cookies = self.cookies();
        if let Some(cookie) = cookies.get(turn(index, cookies.len())).cloned().flatten() {
            headers.insert(COOKIE, cookie);
        }
    }

    /// Keeps what it was given.
    pub(in crate::load) fn keep(&self, index: u64, headers: &HeaderMap) {
        let given = headers.get(SET_COOKIE).and_then(|given| given.to_str().ok()?.split(';').next());
        let Some(Ok(given)) = given.map(HeaderValue::from_str) else { return };
        let mut cookies = self.cookies();
        let turn = turn(index, cookies.len());
        if let Some(cookie) = cookies.get_mut(turn) {
            *cookie = Some(given);
        }
    }

    fn cookies(&self) -> MutexGuard<'_, Vec<Option<HeaderValue>>> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose turn a request is, of so many.
pub(super) fn turn(index: u64, of: usize) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX) % of.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_a_cookie_of_its_own() {
        let jar = Jar::new(2);
        let given = HeaderMap::from_iter([(SET_COOKIE, HeaderValue::from_static("a=1; Path=/"))]);
        jar.keep(3, &given);
        let sent = |index| {
            let mut headers = HeaderMap::new();
            jar.send(index, &mut headers);
            headers.remove(COOKIE)
        };
        assert_eq!(sent(5), Some(HeaderValue::from_static("a=1")));
        assert_eq!(sent(4), None);
    }
}
