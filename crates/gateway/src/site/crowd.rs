//! How many requests of each client are answered at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// IPv6 clients have whole networks of addresses: one is told from another by so many bits.
const IPV6_BITS: u32 = 64;

/// The requests that are being answered, by client.
#[derive(Debug)]
pub(super) struct Crowd {
    most: u32,
    busy: Mutex<HashMap<u64, u32>>,
}

/// One of them; counted off when it ends.
#[derive(Debug)]
pub(crate) struct Seat {
    crowd: Arc<Crowd>,
    client: u64,
}

/// The one that was there before, where its limit is the same: what it counts goes on.
pub(super) fn kept(most: Option<u32>, before: Option<&Arc<Crowd>>) -> Option<Arc<Crowd>> {
    let most = most?;
    let old = before.filter(|old| old.most == most).cloned();
    Some(old.unwrap_or_else(|| Arc::new(Crowd { most, busy: Mutex::default() })))
}

impl Crowd {
    /// Takes one more request of a client, where it has not too many.
    pub(super) fn enter(self: &Arc<Self>, client: IpAddr) -> Option<Seat> {
        let client = match client {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            // One bit more than IPv4 has, so that none is another's.
            IpAddr::V6(address) => {
                let network = u64::try_from(address.to_bits() >> (128 - IPV6_BITS)).unwrap_or(u64::MAX);
                network | 1 << 63
            }
        };
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let count = busy.entry(client).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Seat { crowd: self.clone(), client })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut busy = self.crowd.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = busy.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                busy.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_so_many_seats_and_gives_them_back() {
        let crowd = kept(Some(2), None).unwrap();
        let enter = |client: &str| crowd.enter(client.parse().unwrap());
        let (one, two) = (enter("192.0.2.1"), enter("192.0.2.1"));
        assert!(one.is_some() && two.is_some() && enter("192.0.2.1").is_none());
        let six = (enter("2001:db8::1"), enter("2001:db8::2"));
        assert!(
            enter("2001:db8::3").is_none() && enter("2001:db8:0:1::3").is_some(),
            "a network counts as one"
        );
        drop((one, six));
        assert!(enter("192.0.2.1").is_some() && enter("2001:db8::3").is_some());
        drop(two);
        assert!(crowd.busy.lock().unwrap().is_empty(), "nobody is remembered for nothing");
        assert!(Arc::ptr_eq(&crowd, &kept(Some(2), Some(&crowd)).unwrap()));
        assert!(!Arc::ptr_eq(&crowd, &kept(Some(3), Some(&crowd)).unwrap()));
    }
}
