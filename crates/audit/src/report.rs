//! What was found, for people and for programs.

mod json;
mod problems;
mod snippet;
mod text;

pub use json::json;
pub use problems::{problems, warnings};
pub use text::text;
