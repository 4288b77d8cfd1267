//! A kit that a Rust web service puts inside, so that it can be run in production.
//!
//! - [`run`] starts a program: logs, configuration, stop signals, exit code.
//! - [`Config`] reads settings from the environment or from files (`NAME_FILE`) and tells *all* that is wrong at once.
//! - [`Kit`] adds `/health`, `/ready` and `/metrics` to an axum router, gives each request an id, a trace, a log line
//!   and a measure, and serves it until a stop is asked for.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use axum::{Router, routing::get};
//! use seaworthy_service::{Config, Failure, Kit, Setting, Stop, bind, run};
//!
//! async fn web(config: Config, stop: Stop) -> Result<(), Failure> {
//!     let greeting = config.text("GREETING").to_owned();
//!     let app = Router::new().route("/", get(move || async move { greeting }));
//!     let kit = Kit::new("hello", "1.0.0").configured(&config).check("database", || async { Ok::<_, std::io::Error>(()) });
//!     kit.serve(bind(&config).await?, app, stop).await;
//!     Ok(())
//! }
//!
//! fn main() -> ExitCode {
//!     run("hello", [Setting::required("GREETING", "what visitors are told")], web)
//! }
//! ```

mod check;
mod config;
mod environment;
mod identity;
mod kit;
mod log;
mod metrics;
mod passage;
mod program;
mod recover;
mod request;
mod secret;
mod serve;
mod stop;
mod trace;

pub use config::source::{Source, Unreadable, Values};
pub use config::{Config, ConfigError, ConfigProblem, Fault, Setting};
pub use environment::Environment;
pub use kit::Kit;
pub use log::{JsonLog, LineWriter};
pub use program::{Failure, run};
pub use request::RequestIdentity;
pub use secret::Secret;
pub use serve::{BindError, Served, bind};
pub use stop::Stop;
pub use trace::TraceContext;

/// The metrics library, for services that register metrics of their own with [`Kit::register`].
pub use prometheus_client as prometheus;
