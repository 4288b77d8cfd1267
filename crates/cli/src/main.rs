//! The program `seaworthy`.

fn main() {}
