//! Names and passwords: each pair is held against its hash once, and what was right is known from then on.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::policy::rate::Meter;
use crate::route::{Auth, RateLimit};

/// The name that a backend is told.
const USER: HeaderName = HeaderName::from_static("x-forwarded-user");
/// The longest name and password together, encoded.
const LONGEST: usize = 1024;
/// Pairs that are known to be right; when there are more, all are forgotten.
const MOST_KNOWN: usize = 4096;
/// Hashes that are computed at a time in this process, and requests that wait for theirs.
const AT_A_TIME: usize = 2;
const MOST_WAITING: usize = 64;
/// How often each client may try pairs that are not known to be right.
const TRIES: RateLimit = RateLimit { requests: 30, period_ms: 60_000, burst: 30, header: None };

static TURNS: Semaphore = Semaphore::const_new(AT_A_TIME);
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Who may pass.
#[derive(Debug)]
pub(crate) struct Login {
    told: Auth,
    /// What digests begin with.
    salt: [u8; 32],
    known: Mutex<HashSet<[u8; 32]>>,
    tries: Meter,
}

/// One that waits for its turn.
struct Waits;

impl Waits {
    fn enter() -> Option<Self> {
        let entered = Self;
        (WAITING.fetch_add(1, Ordering::SeqCst) < MOST_WAITING).then_some(entered)
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Login {
    pub(super) fn new(told: &Auth) -> Self {
        let mut salt = [0; 32];
        // It only keeps what is remembered from telling a password to who reads the memory.
        let _ = getrandom::fill(&mut salt);
        Self { told: told.clone(), salt, known: Mutex::default(), tries: Meter::new(&TRIES) }
    }

    pub(super) fn is_as(&self, told: &Auth) -> bool {
        self.told == *told
    }

    /// Whether a request may pass, which is told who sent it then; else the answer.
    pub(crate) async fn check(
        &self,
        headers: &mut HeaderMap,
        client: IpAddr,
    ) -> Result<(), (StatusCode, HeaderMap)> {
        let Some((name, password)) = headers.get(AUTHORIZATION).and_then(pair) else {
            return Err(self.asks());
        };
        let digest = self.digest(&name, &password);
        if !self.knows(&digest) {
            let told = self.tries.count(client, &HeaderMap::new());
            if let Some(after) = told.retry_after {
                return Err(later(StatusCode::TOO_MANY_REQUESTS, after.as_secs() + 1));
            }
            let right = self.try_once(&name, password).await;
            if !right.ok_or_else(|| later(StatusCode::SERVICE_UNAVAILABLE, 1))? {
                return Err(self.asks());
            }
            self.remember(digest);
        }
        headers.remove(AUTHORIZATION);
        headers.remove(USER);
        if let Ok(name) = HeaderValue::from_str(&name) {
            headers.insert(USER, name);
        }
        Ok(())
    }

    /// Holds a password against its hash; nothing where too many are at it. An unknown name takes as long as a known.
    async fn try_once(&self, name: &str, password: Vec<u8>) -> Option<bool> {
        let _waits = Waits::enter()?;
        let _turn = TURNS.acquire().await.ok()?;
        let users = &self.told.users;
        let (hash, known) = users.hash(name).map_or((users.any(), false), |hash| (Some(hash), true));
        let hash = hash?.to_owned();
        let tried = tokio::task::spawn_blocking(move || bcrypt::verify(&password, &hash).unwrap_or(false));
        Some(tried.await.unwrap_or(false) && known)
    }

    fn digest(&self, name: &str, password: &[u8]) -> [u8; 32] {
        let length = u64::try_from(name.len()).unwrap_or(u64::MAX).to_be_bytes();
        let digest = Sha256::new().chain_update(self.salt).chain_update(length).chain_update(name);
        digest.chain_update(password).finalize().into()
    }

    fn knows(&self, digest: &[u8; 32]) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(digest)
    }

    fn remember(&self, digest: [u8; 32]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(digest);
    }

    fn asks(&self) -> (StatusCode, HeaderMap) {
        let challenge = format!("Basic realm=\"{}\", charset=\"UTF-8\"", self.told.realm);
        let value = HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Basic"));
        (StatusCode::UNAUTHORIZED, HeaderMap::from_iter([(WWW_AUTHENTICATE, value)]))
    }
}

/// The one that was there before, where it is about the same: what it knows is kept.
pub(super) fn kept(told: Option<&Auth>, before: Option<&Arc<Login>>) -> Option<Arc<Login>> {
    let told = told?;
    let old = before.filter(|old| old.is_as(told)).cloned();
    Some(old.unwrap_or_else(|| Arc::new(Login::new(told))))
}

fn later(status: StatusCode, seconds: u64) -> (StatusCode, HeaderMap) {
    (status, HeaderMap::from_iter([(RETRY_AFTER, seconds.into())]))
}

/// The name and the password of `Basic …`.
fn pair(value: &HeaderValue) -> Option<(String, Vec<u8>)> {
    let text = value.to_str().ok().filter(|text| text.len() <= LONGEST)?;
    let (scheme, encoded) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let mut decoded = STANDARD.decode(encoded.trim()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let password = decoded.split_off(colon + 1);
    decoded.truncate(colon);
    Some((String::from_utf8(decoded).ok()?, password))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_and_a_password() {
        let of = |text: &str| pair(&HeaderValue::from_str(text).unwrap());
        assert_eq!(of("Basic YW5uOmE6Yg=="), Some(("ann".to_owned(), b"a:b".to_vec())));
        assert_eq!(of("basic YW5uOg=="), Some(("ann".to_owned(), Vec::new())));
        for wrong in ["Basic", "Basic ann:b", "Bearer YW5uOmE=", "Basic YW5u", "Basic ////"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let _ = pair(&value);
            }
        }
    }
}
