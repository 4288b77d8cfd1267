//! The promises that are held against what runs, each by the name of what breaks it.

use serde::{Serialize, Serializer};

/// What can break a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is told by its page: `seaworthy explain` with its id")]
pub enum Promise {
    OtherArtifact,
    OtherUser,
    WritableRoot,
    ExtraCapability,
    MissingCapability,
    PrivilegesCanGrow,
    UnfilteredSystemCalls,
    MissingAppArmorProfile,
    LimitNotKept,
    OtherUlimit,
    UnmeantPort,
    OtherRoute,
    OtherListener,
    MisplacedSecret,
    ExposedSecret,
    UnhealthyInstance,
    OtherRestartPolicy,
    OtherNetwork,
    OtherMount,
    ReplicaMissing,
    StrayInstance,
}

impl Promise {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::ExposedSecret,
        Self::OtherArtifact,
        Self::OtherUser,
        Self::WritableRoot,
        Self::ExtraCapability,
        Self::MissingCapability,
        Self::PrivilegesCanGrow,
        Self::UnfilteredSystemCalls,
        Self::MissingAppArmorProfile,
        Self::UnmeantPort,
        Self::OtherListener,
        Self::OtherRoute,
        Self::MisplacedSecret,
        Self::UnhealthyInstance,
        Self::ReplicaMissing,
        Self::StrayInstance,
        Self::LimitNotKept,
        Self::OtherUlimit,
        Self::OtherRestartPolicy,
        Self::OtherNetwork,
        Self::OtherMount,
    ];

    /// Its name, which stays.
    pub fn id(self) -> &'static str {
        match self {
            Self::OtherArtifact => "other-artifact",
            Self::OtherUser => "other-user",
            Self::WritableRoot => "writable-root",
            Self::ExtraCapability => "extra-capability",
            Self::MissingCapability => "missing-capability",
            Self::PrivilegesCanGrow => "privileges-can-grow",
            Self::UnfilteredSystemCalls => "unfiltered-system-calls",
            Self::MissingAppArmorProfile => "missing-apparmor-profile",
            Self::LimitNotKept => "limit-not-kept",
            Self::OtherUlimit => "other-ulimit",
            Self::UnmeantPort => "unmeant-port",
            Self::OtherRoute => "other-route",
            Self::OtherListener => "other-listener",
            Self::MisplacedSecret => "misplaced-secret",
            Self::ExposedSecret => "exposed-secret",
            Self::UnhealthyInstance => "unhealthy-instance",
            Self::OtherRestartPolicy => "other-restart-policy",
            Self::OtherNetwork => "other-network",
            Self::OtherMount => "other-mount",
            Self::ReplicaMissing => "replica-missing",
            Self::StrayInstance => "stray-instance",
        }
    }
}

impl Serialize for Promise {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}
