//! One file per command.

pub(crate) mod agent;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod deploy;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod events;
pub(crate) mod exec;
pub(crate) mod explain;
pub(crate) mod gateway;
pub(crate) mod harden;
pub(crate) mod history;
pub(crate) mod init;
pub(crate) mod install;
pub(crate) mod logs;
pub(crate) mod maintenance;
pub(crate) mod plan;
pub(crate) mod ps;
pub(crate) mod reference;
pub(crate) mod restart;
pub(crate) mod rollback;
pub(crate) mod scale;
pub(crate) mod shim;
pub(crate) mod start;
pub(crate) mod stats;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod verify;

use std::future::Future;

use crate::arguments::Command;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::newer;

/// Runs a command.
pub(crate) fn run(context: &Context, command: Command) -> Result<Exit, CommandError> {
    let concerned = newer::concerns(&command);
    let done = carry_out(context, command);
    if concerned {
        wait(async {
            newer::tell(context).await;
            Ok(())
        })?;
    }
    done
}

fn carry_out(context: &Context, command: Command) -> Result<Exit, CommandError> {
    match command {
        Command::Config(arguments) => config::config(context, &arguments),
        Command::Check(arguments) => check::check(context, &arguments),
        Command::Init(arguments) => init::init(context, &arguments),
        Command::Harden(arguments) => harden::harden(context, &arguments),
        Command::Explain(arguments) => explain::explain(context, &arguments),
        Command::Agent(arguments) => agent::agent(context, &arguments),
        Command::Install(arguments) => wait(install::install(context, &arguments)),
        Command::Uninstall(arguments) => install::uninstall(context, &arguments),
        Command::Completion(arguments) => completion::completion(context, &arguments),
        Command::Reference(arguments) => reference::reference(context, &arguments),
        Command::Shim(arguments) => shim::shim(&arguments),
        Command::Gateway(arguments) => gateway::gateway(context, &arguments),
        Command::Plan(arguments) => wait(plan::plan(context, &arguments)),
        Command::Deploy(arguments) => wait(deploy::deploy(context, &arguments)),
        Command::Status(arguments) => wait(status::status(context, &arguments)),
        Command::Ps(arguments) => wait(ps::ps(context, &arguments)),
        Command::Logs(arguments) => wait(logs::logs(context, &arguments)),
        Command::Events(arguments) => wait(events::events(context, &arguments)),
        Command::Stats(arguments) => wait(stats::stats(context, &arguments)),
        Command::Verify(arguments) => wait(verify::verify(context, &arguments)),
        Command::Exec(arguments) => wait(exec::exec(context, &arguments)),
        Command::Rollback(arguments) => wait(rollback::rollback(context, &arguments)),
        Command::History(arguments) => history::history(context, &arguments),
        Command::Scale(arguments) => wait(scale::scale(context, &arguments)),
        Command::Restart(arguments) => wait(restart::restart(context, &arguments)),
        Command::Stop(arguments) => wait(stop::stop(context, &arguments)),
        Command::Start(arguments) => wait(start::start(context, &arguments)),
        Command::Maintenance(arguments) => wait(maintenance::maintenance(context, &arguments)),
        Command::Down(arguments) => wait(down::down(context, &arguments)),
        Command::Doctor(arguments) => wait(doctor::doctor(context, &arguments)),
    }
}

/// Runs what waits for others.
pub(crate) fn wait<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::new(format!("could not start: {error}"), None))?;
    runtime.block_on(work)
}
