//! `cargo xtask`: the build system, in Rust.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::workspace::Workspace;
use xtask::{bench, demo, docs, images, suite};

/// Builds, tests and documents Seaworthy
#[derive(Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures speed and memory against others
    Bench(bench::BenchArguments),
    /// Runs the main job from end to end on a copy of the notes example
    Demo(demo::DemoArguments),
    /// Runs every check, and says how long each took
    Test(suite::TestArguments),
    /// Makes base images where no registry gives them
    Images(images::ImagesArguments),
    /// Generates `docs/reference` from the program itself
    Docs(docs::DocsArguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut output = io::stdout();
    let done = Workspace::here().map_err(Into::into).and_then(|workspace| match &arguments.command {
        Command::Bench(arguments) => bench::bench(&workspace, arguments, &mut output),
        Command::Demo(arguments) => demo::demo(&workspace, arguments, &mut output),
        Command::Test(arguments) => suite::test(&workspace, arguments, &mut output),
        Command::Images(arguments) => images::images(&workspace, arguments, false, &mut output),
        Command::Docs(arguments) => docs::docs(&workspace, arguments, &mut output),
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let mut cause: Option<&dyn std::error::Error> = Some(&*error);
            while let Some(link) = cause {
                let _ = writeln!(io::stderr(), "error: {link}");
                cause = link.source();
            }
            ExitCode::from(2)
        }
    }
}
