//! The Compose project: what it is, and how it is loaded.
//!
//! [`load`] is a chain of phases over [`Node`] trees, each of which knows its file, line and column;
//! the typed [`Project`] is read off the last one. Nothing here does I/O but through [`Files`].

mod command_line;
mod files;
#[cfg(any(test, feature = "test-util"))]
pub mod fixture;
pub mod load;
pub mod model;
mod name;
mod node;
mod problem;
#[cfg(any(test, feature = "test-util"))]
pub mod properties;
mod provenance;
mod quantity;
mod sensitive;
mod span;
mod template_use;
mod write;

pub use command_line::{credentials_in_commands, credentials_in_text, credentials_in_words};
pub use files::{FileError, Files};
pub use load::{COMPOSE_FILE_NAMES, Detail, Loaded, Request, identify, load, load_resolved, read_tree};
pub use model::project::Project;
pub use model::service::Service;
pub use name::{EnvironmentName, NameError, ProjectName, ServiceName};
pub use node::{Entry, Node, Say, Scalar, ScalarStyle, Tag, Value};
pub use problem::{Loss, Problem, ProblemKind};
pub use provenance::{NothingThere, Provenance, provenance};
pub use quantity::{Bytes, Cpus, QuantityError, parse_duration};
pub use sensitive::{Sensitive, is_credential_name};
pub use span::{FileId, Position, Source, Sources, Span, Spanned};
pub use template_use::{VariableUse, variable_uses};
pub use write::{Show, service_hash, show_json, show_variables, show_yaml, write_json};
