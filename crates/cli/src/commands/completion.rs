//! `completion`: a script that completes commands and flags in a shell.

use clap::CommandFactory;

use crate::arguments::Arguments;
use crate::context::Context;
use crate::error::{CommandError, Exit};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  seaworthy completion bash > /etc/bash_completion.d/seaworthy\n  seaworthy completion zsh > ~/.zfunc/_seaworthy"
)]
pub(crate) struct CompletionArgs {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub(crate) fn completion(context: &Context, arguments: &CompletionArgs) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "seaworthy", &mut script);
    context.ui.data(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
