//! The worker that counts words.

use std::process::ExitCode;

fn main() -> ExitCode {
    notes::worker()
}
