//! One entry under `services:` (Compose Specification, "Services top-level element").

use std::time::Duration;

use indexmap::IndexMap;

use crate::model::build::Build;
use crate::model::dependency::Dependency;
use crate::model::deploy::Deploy;
use crate::model::healthcheck::Healthcheck;
use crate::model::mount::{FileGrant, Mount};
use crate::model::port::Port;
use crate::model::settings::ServiceSettings;
use crate::{Bytes, Cpus, Node, Sensitive, ServiceName, Spanned};

/// One service, resolved. Keys without a field of their own are read from [`Service::node`].
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name, at the place of its key.
    pub name: Spanned<ServiceName>,
    /// The resolved entry in canonical long form, every key kept; what else had a say is in [`Project::node`](crate::Project::node).
    pub node: Node,
    /// `image`.
    pub image: Option<Spanned<String>>,
    /// `build`.
    pub build: Option<Spanned<Build>>,
    /// `command`; `None` when absent or null.
    pub command: Option<Spanned<Command>>,
    /// `entrypoint`.
    pub entrypoint: Option<Spanned<Command>>,
    /// `environment` and `env_file` together; a variable without a value is unset. Values may be secret.
    pub environment: IndexMap<String, Spanned<Option<Sensitive>>>,
    /// `ports`, ranges expanded.
    pub ports: Vec<Spanned<Port>>,
    /// `volumes` and `tmpfs`.
    pub mounts: Vec<Spanned<Mount>>,
    /// `secrets`.
    pub secrets: Vec<Spanned<FileGrant>>,
    /// `configs`.
    pub configs: Vec<Spanned<FileGrant>>,
    /// `networks`: names, `default` when nothing is said and `network_mode` is absent.
    pub networks: Vec<Spanned<String>>,
    /// `network_mode`.
    pub network_mode: Option<Spanned<String>>,
    /// `depends_on`.
    pub depends_on: Vec<Dependency>,
    /// `healthcheck`.
    pub healthcheck: Option<Spanned<Healthcheck>>,
    /// `deploy`.
    pub deploy: Deploy,
    /// `restart`.
    pub restart: Option<Spanned<String>>,
    /// `container_name`.
    pub container_name: Option<Spanned<String>>,
    /// `user`.
    pub user: Option<Spanned<String>>,
    /// `working_dir`.
    pub working_dir: Option<Spanned<String>>,
    /// `read_only`.
    pub read_only: Option<Spanned<bool>>,
    /// `privileged`.
    pub privileged: Option<Spanned<bool>>,
    /// `init`.
    pub init: Option<Spanned<bool>>,
    /// `cap_add`.
    pub cap_add: Vec<Spanned<String>>,
    /// `cap_drop`.
    pub cap_drop: Vec<Spanned<String>>,
    /// `security_opt`.
    pub security_opt: Vec<Spanned<String>>,
    /// `stop_grace_period`; Compose's default is 10 s.
    pub stop_grace_period: Option<Spanned<Duration>>,
    /// `stop_signal`.
    pub stop_signal: Option<Spanned<String>>,
    /// `profiles`.
    pub profiles: Vec<Spanned<String>>,
    /// `labels`.
    pub labels: IndexMap<String, Spanned<String>>,
    /// `x-seaworthy`.
    pub settings: ServiceSettings,
}

/// `command` or `entrypoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A list of words, run as it is. A string in the file is split into words as Compose does, and is this too.
    Words(Vec<String>),
    /// Empty (`[]` or `""`): clears what the image says.
    Empty,
}

impl Service {
    /// Replicas wished for: `deploy.replicas`, else `scale`, else 1.
    pub fn replicas(&self) -> u32 {
        self.deploy.replicas.as_ref().map_or(1, |replicas| replicas.value)
    }

    /// The memory limit: `deploy.resources.limits.memory`, else `mem_limit`; zero counts as none.
    pub fn memory_limit(&self) -> Option<Bytes> {
        let old = || Bytes::parse(self.node.get("mem_limit")?.text()?).ok();
        self.deploy.limits.memory.as_ref().map(|m| m.value).or_else(old).filter(|bytes| bytes.0 > 0)
    }

    /// The processor limit: `deploy.resources.limits.cpus`, else `cpus`; zero counts as none.
    pub fn cpu_limit(&self) -> Option<Cpus> {
        let old = || Cpus::parse(self.node.get("cpus")?.text()?).ok();
        self.deploy.limits.cpus.as_ref().map(|c| c.value).or_else(old).filter(|cpus| cpus.millis > 0)
    }

    /// Whether it runs once and ends: `x-seaworthy.run`, or someone waits for it to complete.
    pub fn is_job(&self) -> bool {
        self.settings.run.is_some()
    }

    /// Whether it publishes any port.
    pub fn is_published(&self) -> bool {
        self.ports.iter().any(|port| port.value.published.is_some())
    }

    /// How long it has to stop after the signal: `stop_grace_period`, else 10 s.
    pub fn stop_grace(&self) -> Duration {
        self.stop_grace_period.as_ref().map_or(Duration::from_secs(10), |grace| grace.value)
    }
}
