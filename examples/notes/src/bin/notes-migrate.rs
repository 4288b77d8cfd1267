//! The job that brings the schema up to date.

use std::process::ExitCode;

fn main() -> ExitCode {
    notes::migrate()
}
