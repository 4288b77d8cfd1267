//! Files laid over each other, with one that is included and one that is extended.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy_project::properties;

fuzz_target!(|bytes: &[u8]| properties::merge(bytes));
