//! Files that the gateway keeps for projects and answers with: each once, under the hash of what is in it, and lists that
//! say which path is which. No path of a request ever touches the disk.

mod answer;
mod body;
mod keep;
mod kinds;
mod list;

pub(crate) use answer::{Found, Question, find};
pub(crate) use body::FileBody;
pub use keep::{FilesError, drop_but, keep, scan};
pub use list::List;
