//! A header of the PROXY protocol.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy_gateway::properties;

fuzz_target!(|bytes: &[u8]| properties::proxy_header(bytes));
