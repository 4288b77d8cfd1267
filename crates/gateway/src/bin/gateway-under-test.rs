//! The gateway's two processes, for this crate's own tests.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use seaworthy_gateway::{Program, Start, supervise, work};

fn main() -> ExitCode {
    // It may be called as the program itself is, too: with `gateway` before all else.
    let mut words: Vec<String> = std::env::args().collect();
    words.retain(|word| word != "gateway");
    let program = Program { path: PathBuf::from(&words[0]), arguments: Vec::new(), companion: Vec::new() };
    let state = PathBuf::from(words.get(3).map(String::as_str).unwrap_or_default());
    if words.get(1).is_some_and(|word| word == "try") {
        let told = seaworthy_gateway::properties::confined(&state, &words[4..]).to_string();
        let written = std::io::stdout().write_all(told.as_bytes());
        return if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let has = |flag: &str| words.iter().any(|word| word == flag);
    let start = match () {
        () if has("--adopt") => Start::Adopting,
        () if has("--kept") => Start::Inheriting,
        () => Start::Anew,
    };
    let done = match words.get(1).map(String::as_str) {
        Some("supervise") => supervise(&program, &state, start),
        Some("work") => work(&program, &state),
        _ => return ExitCode::from(2),
    };
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
