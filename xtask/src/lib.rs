//! What `cargo xtask` is made of.

pub mod bench;
pub mod caddy;
pub mod compose;
pub mod demo;
pub mod docker;
pub mod docs;
mod fetched;
pub mod images;
pub mod load;
pub mod run;
pub mod suite;
pub mod wheel;
pub mod workspace;
