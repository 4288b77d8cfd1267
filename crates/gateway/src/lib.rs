//! The load balancer: a process of its own that outlives every command.

pub mod route;
