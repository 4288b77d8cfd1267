//! The docker engine on a real Docker Engine: it keeps the contract, and what only containers have.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "tests look behind the engine's back")]

#[path = "docker/bed.rs"]
mod bed;
#[path = "docker/build.rs"]
mod build;
#[path = "docker/encrypted.rs"]
mod encrypted;
#[path = "docker/errors.rs"]
mod errors;
#[path = "docker/keys.rs"]
mod keys;
#[path = "docker/operate.rs"]
mod operate;
#[path = "docker/pull.rs"]
mod pull;
#[path = "docker/reach.rs"]
mod reach;

seaworthy_engine::contract_tests!(bed::Bed::new().await);
