//! The web service, version 1.

use std::process::ExitCode;

fn main() -> ExitCode {
    notes::web(&notes::ONE)
}
