//! What can be typed: global flags before the command, the command's own after it.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::commands;

/// Takes a Compose project to production: checks it, hardens it, deploys it with no failed request
#[derive(Debug, Parser)]
#[command(name = "seaworthy", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = "Examples:
  seaworthy -e development check      what is not fit for production
  seaworthy harden --dry-run          what would be mended, as a diff
  seaworthy deploy                    plan, ask, deploy, verify
  seaworthy rollback                  back to the release before

Exit codes: 0 done · 1 findings, or declined · 2 could not run · 3 failed, all is as before ·
4 failed, and going back failed too · 5 locked by another command · 130 interrupted")]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Globals {
    /// Compose file; repeat it to lay one over another
    #[arg(short, long = "file", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Environment: which overlay and environment files are used
    #[arg(short, long = "env", value_name = "ENV", default_value = "production")]
    pub(crate) environment: String,
    /// Environment file for interpolation, instead of `.env` and `.env.<ENV>`
    #[arg(long = "env-file", value_name = "FILE")]
    pub(crate) env_files: Vec<PathBuf>,
    /// Project name; the environment comes behind it, where it does not stand there already
    #[arg(short, long = "project-name", value_name = "NAME")]
    pub(crate) project_name: Option<String>,
    /// Profile to enable
    #[arg(long = "profile", value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,
    /// Folder that relative paths start from
    #[arg(long, value_name = "DIR")]
    pub(crate) project_directory: Option<PathBuf>,
    /// Where instances run
    #[arg(long, value_enum, default_value = "auto", value_name = "ENGINE")]
    pub(crate) engine: EngineChoice,
    /// Say less
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// What `--engine` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineChoice {
    /// Plain processes where every service says how, else Docker where it answers
    Auto,
    /// Plain processes on this machine
    Process,
    /// Docker Engine
    Docker,
    /// Kubernetes
    Kubernetes,
}

/// Text for people or JSON for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs, with a version number
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(commands::init::InitArgs),
    Config(commands::config::ConfigArgs),
    Check(commands::check::CheckArgs),
    Harden(commands::harden::HardenArgs),
    Explain(commands::explain::ExplainArgs),
    Plan(commands::plan::PlanArgs),
    Deploy(commands::deploy::DeployArgs),
    Status(commands::status::StatusArgs),
    Ps(commands::ps::PsArgs),
    Logs(commands::logs::LogsArgs),
    Events(commands::events::EventsArgs),
    Stats(commands::stats::StatsArgs),
    Verify(commands::verify::VerifyArgs),
    Exec(commands::exec::ExecArgs),
    Rollback(commands::rollback::RollbackArgs),
    History(commands::history::HistoryArgs),
    Scale(commands::scale::ScaleArgs),
    Restart(commands::restart::RestartArgs),
    Stop(commands::stop::StopArgs),
    Start(commands::start::StartArgs),
    Maintenance(commands::maintenance::MaintenanceArgs),
    Down(commands::down::DownArgs),
    Doctor(commands::doctor::DoctorArgs),
    Agent(commands::agent::AgentArgs),
    Install(commands::install::InstallArgs),
    Uninstall(commands::install::UninstallArgs),
    Completion(commands::completion::CompletionArgs),
    #[command(hide = true)]
    Shim(commands::shim::ShimArgs),
    Gateway(commands::gateway::GatewayArgs),
    #[command(hide = true)]
    Reference(commands::reference::ReferenceArgs),
}
