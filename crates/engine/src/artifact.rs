//! What a revision runs, pinned: an image digest, or the content hash of a program.

use seaworthy_project::Loss;
use seaworthy_project::model::healthcheck::Healthcheck;
use serde::{Deserialize, Serialize};

/// What a revision runs, pinned by content, so that a rollback restores it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Artifact {
    /// As a person would name it: `./bin/web`, `postgres:17`.
    pub name: String,
    /// The pin, such as `sha256:…`.
    pub digest: String,
}

/// What a look at a service told.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// What it would run; `None` when that is known only once it was built.
    pub artifact: Option<Artifact>,
    /// Whether the service says how to build it.
    pub builds: bool,
    /// How the artifact itself tests its health, where it says so.
    pub health: Option<Healthcheck>,
    /// What a release of it could not keep.
    pub losses: Vec<Loss>,
    /// Where its image comes from, where it runs one that is there.
    pub image: Option<ImageOrigin>,
}

/// Where an image comes from, and what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageOrigin {
    /// The digest under which its registry knows it; `None` for one that was made on this machine.
    pub registry_digest: Option<String>,
    /// Whether it stands in for the image whose name it has.
    pub stands_in: bool,
    /// The user it names.
    pub user: Option<String>,
}
