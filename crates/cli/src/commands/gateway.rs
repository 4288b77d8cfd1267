//! `gateway`: the load balancer's own processes. Started by commands that need it, not by people.

use std::path::PathBuf;

use crate::context::Context;
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
        /// Take over from a supervisor that died, by the socket that standard input is
        #[arg(long)]
        adopt: bool,
    },
    /// Serve requests
    Work {
        /// The state folder
        #[arg(long)]
        state: PathBuf,
    },
}

pub(crate) fn gateway(context: &Context, arguments: &GatewayArgs) -> Result<Exit, CommandError> {
    let program = context.gateway_program();
    let done = match &arguments.role {
        Role::Supervise { state, adopt } => seaworthy_gateway::supervise(&program, state, *adopt),
        Role::Work { state } => seaworthy_gateway::work(&program, state),
    };
    done.map(|()| Exit::Done).map_err(|error| CommandError::new(with_causes(&error), None))
}
