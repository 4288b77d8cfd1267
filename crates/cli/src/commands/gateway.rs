//! `gateway`: the load balancer's own processes. Started by commands that need it, not by people.

use std::path::PathBuf;
use std::time::Duration;

use crate::context::Context;
use crate::error::{CommandError, Exit, with_causes};

/// Between two looks of one that waits for its turn.
const TURN: Duration = Duration::from_millis(500);

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
        /// Keep an agent alive too
        #[arg(long)]
        companion: bool,
        /// While another supervisor is there, wait for its end
        #[arg(long)]
        wait: bool,
    },
    /// Serve requests
    Work {
        /// The state folder
        #[arg(long)]
        state: PathBuf,
        /// Its supervisor keeps an agent alive too
        #[arg(long)]
        companion: bool,
    },
}

pub(crate) fn gateway(context: &Context, arguments: &GatewayArgs) -> Result<Exit, CommandError> {
    let done = match &arguments.role {
        Role::Supervise { state, adopt, companion, wait } => {
            while *wait && seaworthy_gateway::is_supervised(state) {
                std::thread::park_timeout(TURN);
            }
            seaworthy_gateway::supervise(&context.gateway_program(state, *companion), state, *adopt)
        }
        Role::Work { state, companion } => {
            seaworthy_gateway::work(&context.gateway_program(state, *companion), state)
        }
    };
    done.map(|()| Exit::Done).map_err(|error| CommandError::new(with_causes(&error), None))
}
