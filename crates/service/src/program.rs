//! The life of a program: logs, configuration, work, exit code.

use std::error::Error;
use std::process::ExitCode;

use crate::config::source::Source;
use crate::{Config, Environment, Setting, Stop, environment, log};

/// Why a program, or a check, failed.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The exit code of a program that could not start, because of its configuration or its machine.
const COULD_NOT_START: u8 = 2;
/// Threads for blocking work, such as a database's; each costs memory that a limit may not leave.
const MAX_BLOCKING_THREADS: usize = 32;

/// Runs a program: logs as JSON to standard output, reads its configuration from the environment, does `work`, which
/// is told of SIGTERM and SIGINT through [`Stop`].
///
/// The exit code is 0 when `work` succeeded, 1 when it failed, 2 when it could not begin.
pub fn run<W, F>(name: &'static str, settings: impl IntoIterator<Item = Setting>, work: W) -> ExitCode
where
    W: FnOnce(Config, Stop) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    log::start(name, &wished_level());
    let config = match Config::load(&Environment, settings) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!("{error}");
            return ExitCode::from(COULD_NOT_START);
        }
    };
    for problem in config.tolerated() {
        tracing::warn!(
            setting = problem.setting,
            "tolerated in development, refused in production: {problem}"
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .build();
    let outcome = runtime.map_err(Failure::from).map(|runtime| {
        runtime.block_on(async {
            let stop = Stop::new();
            environment::stop_on_signals(stop.clone())?;
            work(config, stop).await
        })
    });
    match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            tracing::error!(error = with_causes(failure.as_ref()), "the program failed");
            ExitCode::FAILURE
        }
        Err(failure) => {
            tracing::error!(error = with_causes(failure.as_ref()), "the program could not start");
            ExitCode::from(COULD_NOT_START)
        }
    }
}

/// The log level is needed before the configuration is known to be good, so that its problems can be logged.
fn wished_level() -> String {
    let wished = Environment.variable("LOG_LEVEL").ok().flatten();
    wished.filter(|level| crate::config::is_log_level(level)).unwrap_or_else(|| "info".to_owned())
}

/// An error and its causes in one line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}
