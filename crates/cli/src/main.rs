//! The program `seaworthy`: reads what was typed, runs the command, ends with its exit code.

mod arguments;
mod audit;
mod certificates;
mod commands;
mod context;
mod error;
mod gate;
mod guard;
mod interrupts;
mod newer;
mod outcome;
mod surroundings;
mod terminal;
mod ui;
mod units;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;
use crate::context::Context;
use crate::error::Exit;
use crate::surroundings::Surroundings;
use crate::ui::Ui;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let surroundings = match Surroundings::look() {
        Ok(surroundings) => surroundings,
        Err(_) => return ExitCode::from(Exit::CouldNotRun.code()),
    };
    let ui = Ui::new(&surroundings, arguments.globals.quiet, arguments.globals.verbose);
    let context = Context { surroundings, globals: arguments.globals, ui };
    let exit = commands::run(&context, arguments.command).unwrap_or_else(|error| {
        context.ui.error(&error);
        error.exit
    });
    if let Some(error) = context.ui.output_error() {
        context.ui.insist(&format!("error: standard output could not be written: {error}."));
        return ExitCode::from(Exit::CouldNotRun.code());
    }
    ExitCode::from(exit.code())
}

/// Ends the program at once, as Ctrl-C does where nobody listens for it.
#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "this is the main file, and who insists waits for nothing"
)]
pub(crate) fn leave_at_once() -> ! {
    std::process::exit(i32::from(Exit::Interrupted.code()))
}
