//! The gateway as its users meet it: real processes, real sockets, real backends, on loopback.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests read files and processes as they are, and end where something is not as it must be"
)]

mod admin;
mod aside;
mod attack;
mod balance;
mod catalogue;
mod clients;
mod closed;
mod confined;
mod crowd;
mod frames;
mod grpc;
mod guarded;
mod heads;
mod hostile;
mod http2;
mod leaving;
mod login;
mod policy;
mod program;
mod proxy_protocol;
mod rest;
mod restart;
mod retry;
mod rig;
mod share;
mod shelf;
mod short;
mod site;
mod snapshot;
mod spans;
mod spread;
mod sticky;
mod swap;
mod tcp;
mod tls;
mod upgrade;
mod waiting;
