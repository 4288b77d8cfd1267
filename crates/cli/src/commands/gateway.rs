//! `gateway`: looks at the load balancer, takes instances out of traffic, and plays its own processes.

mod drain;
mod hash_password;
mod routes;
mod status;
mod upgrade;

use std::path::PathBuf;
use std::time::Duration;

use seaworthy_gateway::{Client, GatewayError, Start};
use seaworthy_release::TrafficError;

use crate::context::Context;
use crate::error::{CommandError, Exit, with_causes};

/// Between two looks of one that waits for its turn.
const TURN: Duration = Duration::from_millis(500);

/// Look at the gateway: its routes, the instances behind them, and who gets requests
#[derive(Debug, clap::Args)]
pub(crate) struct GatewayArgs {
    #[command(subcommand)]
    role: Role,
}

/// What is asked, or which of its processes.
#[derive(Debug, clap::Subcommand)]
enum Role {
    Status(status::StatusArgs),
    Routes(routes::RoutesArgs),
    Drain(drain::DrainArgs),
    HashPassword(hash_password::HashPasswordArgs),
    Upgrade(upgrade::UpgradeArgs),
    /// Hold the listening sockets and keep the worker alive
    #[command(hide = true)]
    Supervise {
        /// The state folder
        #[arg(long)]
        state: PathBuf,
        /// Take over from a supervisor that died, by the socket that standard input is
        #[arg(long)]
        adopt: bool,
        /// Go on with what this process had as another program, by the socket that standard input is
        #[arg(long, conflicts_with = "adopt")]
        kept: bool,
        /// Keep an agent alive too
        #[arg(long)]
        companion: bool,
        /// While another supervisor is there, wait for its end
        #[arg(long)]
        wait: bool,
    },
    /// Serve requests
    #[command(hide = true)]
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
        Role::Status(arguments) => return super::wait(status::status(context, arguments)),
        Role::Routes(arguments) => return super::wait(routes::routes(context, arguments)),
        Role::Drain(arguments) => return super::wait(drain::drain(context, arguments)),
        Role::HashPassword(arguments) => return hash_password::hash_password(context, arguments),
        Role::Upgrade(arguments) => return super::wait(upgrade::upgrade(context, arguments)),
        Role::Supervise { state, adopt, kept, companion, wait } => {
            while *wait && seaworthy_gateway::is_supervised(state) {
                std::thread::park_timeout(TURN);
            }
            let start = match (adopt, kept) {
                (true, _) => Start::Adopting,
                (_, true) => Start::Inheriting,
                _ => Start::Anew,
            };
            seaworthy_gateway::supervise(&context.gateway_program(state, *companion), state, start)
        }
        Role::Work { state, companion } => {
            seaworthy_gateway::work(&context.gateway_program(state, *companion), state)
        }
    };
    done.map(|()| Exit::Done).map_err(|error| CommandError::new(with_causes(&error), None))
}

/// The gateway of this state folder.
fn client(context: &Context) -> Client {
    Client::new(context.surroundings.state_folder())
}

fn failed(error: GatewayError) -> CommandError {
    TrafficError::from(error).into()
}
