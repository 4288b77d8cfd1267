//! `gateway`: the load balancer's own processes. Started by commands that need it, not by people.

use std::path::PathBuf;

use crate::error::{CommandError, Exit, with_causes};

/// Run a process of the gateway
#[derive(Debug, clap::Args)]
pub(crate) struct GatewayArgs {
    #[command(subcommand)]
    role: Role,
}

/// Which of its processes.
#[derive(Debug, clap::Subcommand)]
enum Role {
    /// Hold the listening sockets and keep the worker alive
    Supervise {
        /// The state folder
        #[arg(long)]
        state: PathBuf,
    },
    /// Serve requests
    Work {
        /// The state folder
        #[arg(long)]
        state: PathBuf,
    },
}

pub(crate) fn gateway(arguments: &GatewayArgs) -> Result<Exit, CommandError> {
    let done = match &arguments.role {
        Role::Supervise { state } => seaworthy_gateway::supervise(state),
        Role::Work { state } => seaworthy_gateway::work(state),
    };
    done.map(|()| Exit::Done).map_err(|error| CommandError::new(with_causes(&error), None))
}
