//! The web service, version 3, whose migration was forgotten; it never gets ready.

use std::process::ExitCode;

fn main() -> ExitCode {
    notes::web(&notes::THREE)
}
