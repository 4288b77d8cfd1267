//! What `cargo xtask` is made of.

pub mod bench;
pub mod demo;
pub mod docs;
pub mod load;
pub mod run;
pub mod suite;
pub mod workspace;
