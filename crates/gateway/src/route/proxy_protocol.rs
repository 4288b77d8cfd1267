//! Where the PROXY protocol is spoken: towards the clients from balancers that are trusted, and towards backends of TCP.

use serde::{Deserialize, Serialize};

use super::Network;

/// Where it is spoken.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProxyProtocol {
    /// From where a connection must begin with a header; from elsewhere none is read. The same for all routes of an address.
    pub trust: Vec<Network>,
    /// What a connection to a backend of a TCP route begins with.
    pub send: Option<ProxyVersion>,
}

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyVersion {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

impl ProxyProtocol {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether both take the word of the same, in whatever order they are named.
    pub(super) fn trusts_the_same(&self, other: &Self) -> bool {
        let has_all = |one: &Self, two: &Self| two.trust.iter().all(|network| one.trust.contains(network));
        has_all(self, other) && has_all(other, self)
    }

    /// Who is trusted, as words.
    pub(super) fn trusted(&self) -> String {
        let all: Vec<String> = self.trust.iter().map(Network::to_string).collect();
        if all.is_empty() { "nobody".to_owned() } else { all.join(", ") }
    }
}
