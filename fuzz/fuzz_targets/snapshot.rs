//! The snapshot of what the gateway serves.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy_gateway::properties;

fuzz_target!(|bytes: &[u8]| properties::snapshot(bytes));
