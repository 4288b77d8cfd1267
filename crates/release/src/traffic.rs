//! How the controller moves requests: the gateway, or in tests a stand-in on a virtual clock.

#[cfg(feature = "test-util")]
pub(crate) mod fake;
mod gateway;

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use seaworthy_engine::InstanceId;
use seaworthy_gateway::route::{RouteSet, SetHash};
use seaworthy_project::ProjectName;

pub use gateway::GatewayTraffic;

/// What can go wrong between the controller and the gateway.
#[derive(Debug, thiserror::Error)]
pub enum TrafficError {
    /// The gateway cannot be reached or refused.
    #[error(transparent)]
    Gateway(#[from] seaworthy_gateway::GatewayError),
    /// The gateway says that it serves something else than it was given.
    #[error("the gateway serves {served}, not {given}")]
    NotTaken {
        /// The hash of what was given.
        given: SetHash,
        /// The hash of what is served.
        served: SetHash,
    },
    /// An instance has no address for its port.
    #[error("instance `{instance}` has no address that the gateway could send to")]
    NoAddress {
        /// Which one.
        instance: String,
    },
}

impl TrafficError {
    /// What to do next, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Gateway(error) => Some(error.hint()),
            Self::NotTaken { .. } => {
                Some("run the command again; `seaworthy doctor` looks at the gateway".to_owned())
            }
            Self::NoAddress { .. } => {
                Some("give the service a port: `ports`, `expose`, or `x-seaworthy.route.port`".to_owned())
            }
        }
    }
}

/// Moves requests between instances.
#[async_trait]
pub trait Traffic: Send + Sync {
    /// What is served for a project. Changes nothing.
    async fn serving(&self, project: &ProjectName) -> Result<Option<RouteSet>, TrafficError>;

    /// Whether a set would be accepted: no conflict with other projects, addresses free. Changes nothing.
    async fn check(&self, project: &ProjectName, set: &RouteSet) -> Result<(), TrafficError>;

    /// Replaces the project's whole set; answers with the hash of what is served from now on. An empty set takes
    /// the project out.
    async fn put(&self, project: &ProjectName, set: &RouteSet) -> Result<SetHash, TrafficError>;

    /// Waits until no request is in flight to these instances, which get no new ones. Answers how many are left.
    async fn drain(
        &self,
        project: &ProjectName,
        instances: &[InstanceId],
        limit: Duration,
    ) -> Result<u64, TrafficError>;

    /// The addresses on which this machine takes TCP connections; `None` when it does not tell.
    fn listening(&self) -> Option<Vec<SocketAddr>>;

    /// Ends the gateway if no project has routes any more.
    async fn rest(&self) -> Result<(), TrafficError>;
}
