//! Asking an instance whether it is ready.

use std::time::Duration;

use seaworthy_project::model::healthcheck::HealthTest;

/// One question to an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// An HTTP GET from outside; 200 to 399 is a yes.
    Http {
        /// The port inside the instance.
        port: u16,
        /// The path.
        path: String,
        /// How long it may take.
        timeout: Duration,
    },
    /// A TCP connection from outside.
    Tcp {
        /// The port inside the instance.
        port: u16,
        /// How long it may take.
        timeout: Duration,
    },
    /// gRPC's health protocol from outside, over HTTP/2 without TLS; `SERVING` is a yes.
    Grpc {
        /// The port inside the instance.
        port: u16,
        /// Which service of the server is asked for; empty is the server as a whole.
        service: String,
        /// How long it may take.
        timeout: Duration,
    },
    /// The health check's own test, run beside the instance with its environment.
    Test {
        /// The test.
        test: HealthTest,
        /// How long it may take.
        timeout: Duration,
    },
    /// Only whether the main process runs.
    Running,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeOutcome {
    /// Whether it is ready.
    pub ready: bool,
    /// What was seen, in a few words: `200 OK`, `connection refused`, the first lines a test wrote (4 KiB at most).
    pub detail: String,
}
