//! Watches the projects of a state folder and brings back what should run and does not.
//!
//! It never decides what should run: that is the store's current release and settings. Its only way to change anything
//! is a plan, carried out under the project's lock, which it gives up to any command that waits for it.

mod ailment;
mod backoff;
mod error;
mod patient;
mod place;
mod run;
mod status;
mod ward;
mod watch;

pub use ailment::ailments;
pub use backoff::Backoff;
pub use error::AgentError;
pub use place::{Place, Tenant};
pub use run::{Agent, run};
pub use status::{Healed, ProjectStatus, Status};
pub use ward::{Ward, Wards};
pub use watch::{Around, Seen, Watcher};
