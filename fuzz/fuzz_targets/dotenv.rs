//! An environment file in each of its roles.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy_project::properties;

fuzz_target!(|bytes: &[u8]| properties::dotenv(bytes));
