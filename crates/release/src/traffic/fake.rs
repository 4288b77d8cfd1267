//! A stand-in for the gateway in memory, for tests on a virtual clock; faults on demand.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use seaworthy_engine::InstanceId;
use seaworthy_gateway::route::{RouteSet, SetHash};
use seaworthy_project::ProjectName;

use crate::{Traffic, TrafficError};

/// Keeps route sets in memory. Each put is recorded, and can be made to fail.
#[derive(Debug, Default)]
pub struct FakeTraffic {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sets: BTreeMap<String, RouteSet>,
    puts: Vec<RouteSet>,
    fail_puts: u32,
}

impl FakeTraffic {
    /// Every set that was given, in order.
    pub fn puts(&self) -> Vec<RouteSet> {
        self.state().puts.clone()
    }

    /// Lets the next `count` puts fail.
    pub fn fail_puts(&self, count: u32) {
        self.state().fail_puts = count;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Traffic for FakeTraffic {
    async fn serving(&self, project: &ProjectName) -> Result<Option<RouteSet>, TrafficError> {
        Ok(self.state().sets.get(project.as_str()).cloned())
    }

    async fn check(&self, _project: &ProjectName, _set: &RouteSet) -> Result<(), TrafficError> {
        Ok(())
    }

    async fn put(&self, project: &ProjectName, set: &RouteSet) -> Result<SetHash, TrafficError> {
        let mut state = self.state();
        if state.fail_puts > 0 {
            state.fail_puts -= 1;
            return Err(TrafficError::NotTaken { given: set.hash(), served: RouteSet::default().hash() });
        }
        state.puts.push(set.clone());
        match set.routes.is_empty() {
            true => state.sets.remove(project.as_str()),
            false => state.sets.insert(project.as_str().to_owned(), set.clone()),
        };
        Ok(set.hash())
    }

    async fn drain(&self, _: &ProjectName, _: &[InstanceId], _: Duration) -> Result<u64, TrafficError> {
        Ok(0)
    }

    fn listening(&self) -> Option<Vec<SocketAddr>> {
        Some(self.state().sets.values().flat_map(|set| &set.routes).map(|route| route.listen).collect())
    }

    async fn rest(&self) -> Result<(), TrafficError> {
        Ok(())
    }
}
