//! One at a time: callers who would make the same instance, or choose the same address, wait for each other.

use std::time::Duration;

use seaworthy_project::ProjectName;
use tokio::time::{Instant, sleep};

use crate::docker::options::DockerOptions;
use crate::{EngineError, InstanceId, system};

/// How long another command may hold a lock: a container with a long grace may be stopping.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two tries.
const LOOK: Duration = Duration::from_millis(10);

/// Freed, and its file deleted, when dropped.
pub(super) struct Held(Option<system::Lock>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(lock) = self.0.take() {
            lock.delete();
        }
    }
}

/// Waits for an instance.
pub(super) async fn instance(
    options: &DockerOptions,
    project: &ProjectName,
    id: &InstanceId,
) -> Result<Held, EngineError> {
    named(options, &format!("{project}.{id}")).await
}

/// Waits for the addresses of the ingress network.
pub(super) async fn addresses(options: &DockerOptions) -> Result<Held, EngineError> {
    // No project is called so: names hold no dots.
    named(options, ".addresses").await
}

/// Waits for the networks of a project: older engines would make two of one name.
pub(super) async fn networks(options: &DockerOptions, project: &ProjectName) -> Result<Held, EngineError> {
    named(options, &format!("{project}.networks")).await
}

async fn named(options: &DockerOptions, name: &str) -> Result<Held, EngineError> {
    let folder = options.state.join("locks");
    system::private_folder(&folder)?;
    let path = folder.join(name);
    let until = Instant::now() + PATIENCE;
    loop {
        let attempt = || format!("wait for another command to be done with `{name}`");
        if let Some(lock) = system::attempt(system::Lock::take(&path), attempt)? {
            return Ok(Held(Some(lock)));
        }
        if Instant::now() >= until {
            return Err(EngineError::System {
                attempt: attempt(),
                cause: std::io::ErrorKind::TimedOut.into(),
            });
        }
        sleep(LOOK).await;
    }
}
