//! Production rules over a Compose project, the fixes they offer, and reports of what they found.
//!
//! [`check`] asks every rule; [`harden`] applies the fixes of what was found to the production overlay, so hardening
//! is the audit and no second body of knowledge. Nothing here does I/O.

pub mod baseline;
mod build_file;
mod check;
mod connection;
mod context;
mod credential;
pub mod dockerfile;
mod download;
mod environment_file;
mod explain;
mod finding;
mod fix;
mod glob;
mod harden;
mod host_path;
pub mod init;
mod layers;
pub mod mend;
pub mod overlay;
mod package_manager;
mod pin;
pub mod policy;
mod promise;
pub mod redact;
pub mod report;
mod review;
mod rule;
mod rules;
pub mod shell;
mod waiver;

pub use build_file::{Build, BuildFile, ImageUser};
pub use check::check;
pub use context::{Context, Subject};
pub use explain::{example_files, explain, list, reference_markdown};
pub use finding::{Finding, Findings, Place};
pub use fix::{Edit, EditValue, Fix, Level};
pub use harden::{Applied, Hardened, Refused, harden, harden_where};
pub use mend::{Mend, Mended, TextEdit, mend};
pub use pin::{Digest, Pinned, pin};
pub use policy::{COMPANY_RULES, POLICY_FILE, Policy, Threshold};
pub use promise::{PROMISES, Promise};
pub use review::{ABSENT, Absent, Given, Review, Reviewed, Standing, Written, named_from, review};
pub use rule::{Confidence, Example, Grade, Group, Rule, Severity};
pub use rules::ALL as RULES;
pub use waiver::{Origin, Reach, Waiver, nearest_rule};
