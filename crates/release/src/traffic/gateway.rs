//! The gateway of this host as the controller's traffic; it is started when it is first needed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use seaworthy_engine::InstanceId;
use seaworthy_gateway::route::{RouteSet, SetHash};
use seaworthy_gateway::{Client, GatewayError, Program, launch, tls, try_address};
use seaworthy_project::ProjectName;

use crate::{Traffic, TrafficError, disk};

/// The gateway of a state folder.
#[derive(Debug, Clone)]
pub struct GatewayTraffic {
    client: Client,
    program: Program,
    state: PathBuf,
    start: Duration,
}

impl GatewayTraffic {
    /// The gateway of this state folder; `program` plays its processes, which may take `start` to answer.
    pub fn new(state: &Path, program: Program, start: Duration) -> Self {
        Self { client: Client::new(state), program, state: state.to_owned(), start }
    }

    /// The client, for looking.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

#[async_trait]
impl Traffic for GatewayTraffic {
    async fn serving(&self, project: &ProjectName) -> Result<Option<RouteSet>, TrafficError> {
        match self.client.get(project.as_str()).await {
            Ok(found) => Ok(found.map(|(set, _)| set)),
            Err(GatewayError::NotRunning { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn check(&self, project: &ProjectName, set: &RouteSet) -> Result<(), TrafficError> {
        match self.client.check(project.as_str(), set).await {
            Err(GatewayError::NotRunning { .. }) => Ok(check_alone(set)?),
            other => Ok(other?),
        }
    }

    async fn put(&self, project: &ProjectName, set: &RouteSet) -> Result<SetHash, TrafficError> {
        if set.routes.is_empty() {
            return match self.client.remove(project.as_str()).await {
                Ok(()) | Err(GatewayError::NotRunning { .. }) => Ok(set.hash()),
                Err(error) => Err(error.into()),
            };
        }
        let client = launch(&self.program, &self.state, self.start).await?;
        match client.put(project.as_str(), set).await {
            // It was about to end because no project had routes: the next one is started.
            Err(GatewayError::NotRunning { .. }) => {
                let client = launch(&self.program, &self.state, self.start).await?;
                Ok(client.put(project.as_str(), set).await?)
            }
            other => Ok(other?),
        }
    }

    async fn drain(
        &self,
        project: &ProjectName,
        instances: &[InstanceId],
        limit: Duration,
    ) -> Result<u64, TrafficError> {
        let backends: Vec<String> = instances.iter().map(ToString::to_string).collect();
        match self.client.drain(project.as_str(), &backends, limit).await {
            // A gateway that is gone took its requests with it.
            Err(GatewayError::NotRunning { .. }) => Ok(0),
            other => Ok(other?),
        }
    }

    fn listening(&self) -> Option<Vec<SocketAddr>> {
        disk::listening()
    }

    async fn rest(&self) -> Result<(), TrafficError> {
        match self.client.stop_if_idle().await {
            Ok(_) | Err(GatewayError::NotRunning { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a gateway would say that does not run yet: an address is tried and let go at once.
fn check_alone(set: &RouteSet) -> Result<(), GatewayError> {
    if let Some(reason) = set.contradiction() {
        return Err(GatewayError::Invalid { reason });
    }
    tls::check(set)?;
    set.routes.iter().try_for_each(|route| try_address(route.listen))
}
