//! `x-seaworthy`: what Compose cannot say. Unknown keys in it are errors with a suggestion.

use std::time::Duration;

use crate::Spanned;
use crate::model::balancing::Balancing;
use crate::model::policy::Policy;
use crate::model::site::Site;
use crate::model::tls::Tls;
use crate::model::traces::Traces;

/// `x-seaworthy` at the top level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectSettings {
    /// `overlay: true`: this file is meant to lie over another.
    pub overlay: bool,
    /// `rollout`, for all services.
    pub rollout: RolloutSettings,
    /// `tls`, for all routes; each has taken it up.
    pub tls: Option<Spanned<Tls>>,
    /// `traces`, for all routes; each has taken it up.
    pub traces: Option<Spanned<Traces>>,
}

/// `x-seaworthy` on a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceSettings {
    /// `route`.
    pub route: Option<Spanned<Route>>,
    /// `probe`.
    pub probe: ProbeSettings,
    /// `process`.
    pub process: Option<Spanned<ProcessSettings>>,
    /// `run`: a job, and when it runs.
    pub run: Option<Spanned<RunWhen>>,
    /// `timeout` of a job; 10 minutes when absent.
    pub timeout: Option<Spanned<Duration>>,
    /// `rollout`, over the one for all services.
    pub rollout: RolloutSettings,
    /// `prove`.
    pub prove: ProveSettings,
}

/// `route`: how requests reach the service through the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Route {
    /// `host`; `None` is any.
    pub host: Option<String>,
    /// `path` prefix; `None` is `/`.
    pub path: Option<String>,
    /// `port` inside the instance; `None` is the target of the first published TCP port.
    pub port: Option<u16>,
    /// `balance`: `round-robin` (default), `least-connections`, `power-of-two` or `hash`.
    pub balance: Option<String>,
    /// `sticky`: a client keeps its instance, by a cookie.
    pub sticky: bool,
    /// `tls`, with what was said for all routes.
    pub tls: Option<Spanned<Tls>>,
    /// `traces`, with what was said for all routes.
    pub traces: Option<Spanned<Traces>>,
    /// What else is about balancing.
    pub balancing: Balancing,
    /// `max_body`, `rate_limit`, `headers` and what else says what is let in.
    pub policy: Policy,
    /// `redirect`, and what else the gateway answers by itself.
    pub site: Site,
}

/// `probe`: how readiness and life are asked from outside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProbeSettings {
    /// `ready`: `GET /path`, `tcp`, `grpc`, or `grpc NAME`.
    pub ready: Option<Spanned<ProbeTarget>>,
    /// `live`, in the same form.
    pub live: Option<Spanned<ProbeTarget>>,
}

/// `prove`: how the service is exercised when its hardening is proven.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProveSettings {
    /// `command`: run inside once the service is ready; anything but exit code 0 is a failure.
    pub command: Option<Spanned<Vec<String>>>,
}

/// What a probe asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeTarget {
    /// An HTTP GET of a path; 200 to 399 is a yes.
    Http {
        /// The path, with its leading slash.
        path: String,
    },
    /// A TCP connection.
    Tcp,
    /// gRPC's own health protocol; `SERVING` is a yes.
    Grpc {
        /// Which service of the server is asked for; empty is the server as a whole.
        service: String,
    },
}

/// `process`: how the service runs on the embedded engine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProcessSettings {
    /// `command`: program and arguments; a program with a slash is relative to the project folder.
    pub command: Vec<String>,
    /// `build`: program and arguments that make the program.
    pub build: Option<Vec<String>>,
}

/// When a job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunWhen {
    /// `before-deploy`.
    BeforeDeploy,
    /// `after-deploy`.
    AfterDeploy,
}

/// `rollout`: the timers of a deploy; what is absent is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RolloutSettings {
    /// `ready_deadline`, per instance.
    pub ready_deadline: Option<Duration>,
    /// `min_healthy`: how long a new instance must stay ready.
    pub min_healthy: Option<Duration>,
    /// `progress_deadline`, for the whole deploy.
    pub progress_deadline: Option<Duration>,
    /// `drain`: how long requests in flight may take after an instance left the gateway.
    pub drain: Option<Duration>,
}
