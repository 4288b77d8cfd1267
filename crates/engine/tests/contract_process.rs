//! The process engine keeps the contract.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "process/bed.rs"]
#[expect(dead_code, reason = "the contract needs less of the bed than the other tests")]
mod bed;

seaworthy_engine::contract_tests!(bed::Bed::new());
