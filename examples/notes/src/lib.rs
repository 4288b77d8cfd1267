//! Notes that a team shares: a web service, a worker that counts words, and a job that keeps the schema up to date.

mod api;
mod database;
mod migrate;
mod page;
mod settings;
mod store;
mod version;
mod web;
mod worker;

pub use migrate::migrate;
pub use version::{ONE, THREE, TWO, Version};
pub use web::web;
pub use worker::worker;
