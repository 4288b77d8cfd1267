//! The bytes of a connection that speaks HTTP/1.1.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy_gateway::properties;

fuzz_target!(|bytes: &[u8]| properties::requests(bytes));
