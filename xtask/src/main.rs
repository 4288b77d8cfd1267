//! The build system, in Rust.

fn main() {}
