//! The typed project: one file per concept of the Compose Specification.
//!
//! Each type is a view of a resolved [`Node`](crate::Node), which stays beside it so that no key is lost.

pub mod balancing;
pub mod beside;
pub mod build;
pub mod dependency;
pub mod deploy;
pub mod healthcheck;
pub mod mount;
pub mod policy;
pub mod port;
pub mod project;
pub mod resource;
pub mod service;
pub mod settings;
pub mod site;
pub mod tls;
pub mod traces;
