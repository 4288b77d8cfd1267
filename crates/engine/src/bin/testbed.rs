//! The sample program that the tests of the process engine run.

fn main() {}
