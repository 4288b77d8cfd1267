//! `cargo xtask bench`: how quick and how small, measured against others in one run.

mod audit;
mod config;
mod deploy;
mod gateway;
mod measure;
mod rollout;

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;

use crate::workspace::Workspace;

/// Measure speed and memory
#[derive(Debug, clap::Args)]
pub struct BenchArguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Counts what is found of seeded defects, and how quickly, beside other checkers
    Audit(audit::AuditArguments),
    /// Loads projects of 1 to 10,000 services, with `seaworthy config` and with Docker Compose in turn
    Config(config::ConfigArguments),
    /// Deploys three services beside `docker run`, and looks at many containers beside `docker compose ps`
    Deploy(deploy::DeployArguments),
    /// Measures the gateway beside nginx, HAProxy, Caddy and Traefik
    Gateway(gateway::GatewayArguments),
    /// Changes releases under load on a Docker Engine, and with Docker Compose, and counts what fails
    Rollout(rollout::RolloutArguments),
    /// Runs a program once and prints its wall time and peak memory; the other benches use it
    #[command(hide = true)]
    Measure {
        /// The folder to run it in
        folder: PathBuf,
        /// The program and its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        program: Vec<String>,
    },
}

/// Runs a bench; answers whether its goals were met.
///
/// # Errors
/// When a program cannot be built or run, or fails.
pub fn bench(
    workspace: &Workspace,
    arguments: &BenchArguments,
    output: &mut dyn Write,
) -> Result<bool, Box<dyn Error>> {
    match &arguments.what {
        What::Audit(arguments) => audit::audit(workspace, arguments, output),
        What::Config(arguments) => config::config(workspace, arguments, output),
        What::Deploy(arguments) => deploy::deploy(workspace, arguments, output),
        What::Gateway(arguments) => gateway::gateway(workspace, arguments, output),
        What::Rollout(arguments) => rollout::rollout(workspace, arguments, output),
        What::Measure { folder, program } => {
            measure::print(folder, program, output)?;
            Ok(true)
        }
    }
}
