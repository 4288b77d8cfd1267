//! The load balancer: a process of its own that outlives every command.
//!
//! A small supervisor holds the listening sockets and keeps a worker alive; the worker serves requests, and is told
//! whole route sets over a local socket. Neither knows what a release or a Compose file is.

mod access_log;
mod acme;
mod admin;
mod backend;
mod balance;
mod build;
mod channel;
mod client;
mod companion;
mod compress;
mod confine;
mod connection;
mod error;
pub mod files;
mod framing;
mod headers;
mod http2;
mod lanes;
mod launch;
mod lend;
mod limits;
mod listener;
mod maintenance;
mod metrics;
mod outgoing;
mod place;
mod policy;
mod probe;
#[cfg(any(test, feature = "test-util"))]
pub mod properties;
mod proxy;
mod proxy_protocol;
mod rim;
pub mod route;
mod site;
mod snapshot;
mod sockets;
mod spans;
mod sticky;
mod stream;
mod supervisor;
mod table;
mod tcp;
pub mod tls;
mod wait;
mod wire;
mod worker;

pub use build::Build;
pub use client::Client;
pub use confine::{Calls, Confinement, Writes};
pub use error::GatewayError;
pub use launch::{Program, launch};
pub use maintenance::Maintenance;
pub use spans::{HeadersError, examine_headers};
pub use supervisor::{Start, SupervisorStatus, is_supervised, supervise, try_address};
pub use wire::{BackendStatus, ProjectStatus, Status};
pub use worker::work;
