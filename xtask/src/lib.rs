//! What `cargo xtask` is made of.

pub mod load;
