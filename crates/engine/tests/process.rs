//! What only the engine of plain processes promises: shims, ports, limits, secrets, leftovers.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "process/bed.rs"]
mod bed;
#[path = "process/confinement.rs"]
mod confinement;
#[path = "process/errors.rs"]
mod errors;
#[path = "process/keeping.rs"]
mod keeping;
#[path = "process/shims.rs"]
mod shims;
