//! The programs as a production machine runs them: real processes, real connections, one shared file.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod configuration;
mod program;
mod stopping;
mod together;
mod versions;
