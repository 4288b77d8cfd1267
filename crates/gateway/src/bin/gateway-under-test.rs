//! The gateway's two processes, for this crate's own tests.

use std::path::PathBuf;
use std::process::ExitCode;

use seaworthy_gateway::{Program, supervise, work};

fn main() -> ExitCode {
    // It may be called as the program itself is, too: with `gateway` before all else.
    let mut words: Vec<String> = std::env::args().collect();
    words.retain(|word| word != "gateway");
    let program = Program { path: PathBuf::from(&words[0]), arguments: Vec::new(), companion: Vec::new() };
    let state = PathBuf::from(words.get(3).map(String::as_str).unwrap_or_default());
    let done = match words.get(1).map(String::as_str) {
        Some("supervise") => supervise(&program, &state, words.iter().any(|word| word == "--adopt")),
        Some("work") => work(&program, &state),
        _ => return ExitCode::from(2),
    };
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
