//! `shim`: the small process that holds one instance. Started by the engine, not by people.

use std::path::PathBuf;

use crate::error::{CommandError, Exit};

/// Hold one instance
#[derive(Debug, clap::Args)]
pub(crate) struct ShimArgs {
    /// The instance's folder
    folder: PathBuf,
}

pub(crate) fn shim(arguments: &ShimArgs) -> Result<Exit, CommandError> {
    match seaworthy_engine::process::shim_main(&arguments.folder) {
        0 => Ok(Exit::Done),
        _ => Ok(Exit::CouldNotRun),
    }
}
