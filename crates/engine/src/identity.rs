//! Identities: of a release, a revision, a slot and an instance.

use std::fmt;
use std::num::NonZeroU32;

use seaworthy_project::ServiceName;
use serde::{Deserialize, Serialize};

/// The number of a release, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseNumber(pub u32);

impl fmt::Display for ReleaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The identity of a revision: a hash over all that makes its instances what they are, as 12 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RevisionId(pub String);

impl fmt::Display for RevisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of a replica within its revision, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slot(pub NonZeroU32);

impl Slot {
    /// The slots 1 to `count`.
    pub fn first(count: u32) -> impl Iterator<Item = Slot> {
        (1..=count).filter_map(|number| NonZeroU32::new(number).map(Slot))
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The identity of an instance within its project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstanceId {
    /// The service.
    pub service: ServiceName,
    /// The revision.
    pub revision: RevisionId,
    /// The slot.
    pub slot: Slot,
}

impl fmt::Display for InstanceId {
    /// `web.3f2a9c01d4e5.1`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.service, self.revision, self.slot)
    }
}
