//! The web service, version 2; notes can be pinned and searched.

use std::process::ExitCode;

fn main() -> ExitCode {
    notes::web(&notes::TWO)
}
