//! What tells clients apart, as a number.

use std::net::IpAddr;

use hyper::HeaderMap;

use crate::route::HashBy;
use crate::sticky;

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) client: IpAddr,
    /// `None` for a TCP connection.
    pub(crate) headers: Option<&'a HeaderMap>,
}

impl Asker<'_> {
    /// The same for requests that belong together.
    pub(crate) fn key(&self, by: &HashBy) -> u64 {
        let said = self.headers.and_then(|headers| match by {
            HashBy::Client => None,
            HashBy::Header(name) => headers.get(name).map(|value| hash(value.as_bytes())),
            HashBy::Cookie(name) => sticky::value(headers, name).map(|value| hash(value.as_bytes())),
        });
        said.unwrap_or_else(|| match self.client.to_canonical() {
            IpAddr::V4(address) => hash(&address.octets()),
            IpAddr::V6(address) => hash(&address.octets()),
        })
    }
}

/// FNV-1a and a mix: the same in every process and version, which std does not promise of its own.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold))
}

/// Spreads what differs in a few bits over all of them (the finalizer of SplitMix64).
pub(crate) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
