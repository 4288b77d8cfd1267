//! What is known of well-known images, as data: one TOML file each under `images/`.
//!
//! The facts are looked up by image reference; nothing is pulled, run or read from disk.

mod account;
mod image;
mod reference;
mod registry;

pub use account::{Account, Database};
pub use image::{
    Backup, Credential, EndOfLife, Hardening, Health, Image, ImagePort, Ineffective, Kind, Limits, PortRole,
    RunsAs, Switch, User, Volume,
};
pub use reference::Reference;
pub use registry::{all, lookup};
