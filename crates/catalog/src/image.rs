//! The shape of one image's facts.

use serde::Deserialize;

use crate::{Account, Database, Reference};

/// What is known of one image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The file's name without its ending.
    #[serde(skip)]
    pub id: String,
    /// What people call it: `PostgreSQL`.
    pub title: String,
    /// Repositories whose images keep these facts, without registry `docker.io` and without `library/`.
    pub names: Vec<String>,
    /// What sort of thing it is.
    pub kind: Kind,
    /// Whether it is a tool for development or administration that does not belong in production.
    #[serde(default)]
    pub development_tool: bool,
    /// Where it keeps what must not be lost; any one of them mounted is enough.
    #[serde(default)]
    pub volumes: Vec<Volume>,
    /// Ports it listens on.
    #[serde(default)]
    pub ports: Vec<ImagePort>,
    /// The user it runs as.
    pub user: Option<User>,
    /// What it needs when everything else is taken away.
    pub hardening: Option<Hardening>,
    /// A test of its health that works with the programs inside the image.
    pub health: Option<Health>,
    /// Limits to start from.
    pub limits: Option<Limits>,
    /// Variables that are also read from a file when given with this ending: `_FILE`.
    #[serde(default)]
    pub file_variables: Vec<String>,
    /// The ending of [`file_variables`](Self::file_variables); `_FILE` when absent.
    pub file_suffix: Option<String>,
    /// Credentials it takes from variables.
    #[serde(default)]
    pub credentials: Vec<Credential>,
    /// Accounts that it makes from variables.
    #[serde(default)]
    pub accounts: Vec<Account>,
    /// The database that it makes.
    pub database: Option<Database>,
    /// Settings that turn authentication off.
    #[serde(default)]
    pub authentication_off: Vec<Switch>,
    /// Settings that open a dashboard to everyone.
    #[serde(default)]
    pub open_dashboard: Vec<Switch>,
    /// Variables that people give it and that it does not read.
    #[serde(default)]
    pub ineffective: Vec<Ineffective>,
    /// How its data is written out and read back.
    pub backup: Option<Backup>,
    /// Series that get no fixes any more.
    #[serde(default)]
    pub end_of_life: Vec<EndOfLife>,
}

/// What sort of thing an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Keeps data for good.
    Datastore,
    /// Passes messages, and keeps those not yet delivered.
    Queue,
    /// Keeps data that can be computed again.
    Cache,
    /// Finds documents.
    Search,
    /// Takes requests from outside and passes them on.
    Proxy,
    /// Measures or shows measurements.
    Monitoring,
    /// A language runtime or an operating system that others build on.
    Runtime,
    /// A person's tool.
    Tool,
}

impl Kind {
    /// Whether only services of the same project should reach it.
    pub fn is_internal(self) -> bool {
        matches!(self, Self::Datastore | Self::Queue | Self::Cache | Self::Search)
    }
}

/// A folder with data.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// The path inside.
    pub path: String,
    /// The first major version that uses this path; all when absent.
    pub from: Option<u32>,
    /// The last major version that uses this path; all when absent.
    pub until: Option<u32>,
}

/// A port an image listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImagePort {
    /// The number.
    pub port: u16,
    /// Who it is for.
    pub role: PortRole,
}

/// Who a port is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortRole {
    /// Services that use it.
    Client,
    /// People who administer it.
    Admin,
    /// Other members of its cluster.
    Peer,
    /// Everyone.
    Public,
}

/// The user an image runs as.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// How it gets there.
    pub runs_as: RunsAs,
    /// The number of its user in the Debian variant, where it has one.
    pub uid: Option<u32>,
    /// No run has proved it yet.
    #[serde(default)]
    pub unproven: bool,
}

/// How an image comes to its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunsAs {
    /// The image names a user that is not root.
    NonRoot,
    /// It starts as root, prepares its folders, and drops to its own user by itself.
    Drops,
    /// It stays root.
    Root,
}

/// What an image needs when everything else is taken away.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hardening {
    /// Folders it must write besides its volumes; absent when it is not known whether a read-only root works.
    pub writable: Option<Vec<String>>,
    /// Capabilities it needs back after all were dropped; absent when not known.
    pub capabilities: Option<Vec<String>>,
    /// Whether it works when no process may gain privileges.
    #[serde(default)]
    pub no_new_privileges: bool,
    /// No run has proved it yet.
    #[serde(default)]
    pub unproven: bool,
}

/// A health test.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// `CMD` or `CMD-SHELL` and what follows, as the container sees it: a `$` is one dollar here.
    pub test: Vec<String>,
    /// Seconds it may take to start before failures count.
    pub start_period: u32,
    /// No run has proved it yet.
    #[serde(default)]
    pub unproven: bool,
}

/// Limits to start from: enough for a small installation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// In Compose's notation: `512M`.
    pub memory: String,
    /// In processors: `1.0`.
    pub cpus: String,
    /// Processes and threads.
    pub pids: u32,
}

/// A credential that an image takes from a variable.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// The variable.
    pub variable: String,
    /// What the image uses when the variable is not given and that everybody knows.
    pub default: Option<String>,
    /// Whether everybody may come in when neither this variable nor its file is given.
    #[serde(default)]
    pub open_when_absent: bool,
}

/// A setting that makes something unsafe.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// The variable, when it is one.
    pub variable: Option<String>,
    /// Values of the variable that do it, in lower case; empty means any value that is not empty, `0`, `no` or `false`.
    #[serde(default)]
    pub values: Vec<String>,
    /// A word of the command that does it, when it is one.
    pub argument: Option<String>,
}

/// A variable that people give an image and that it does not read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ineffective {
    /// The variable.
    pub variable: String,
    /// What does what was meant.
    pub instead: String,
}

/// How an image's data is written out and read back while it runs: for a shell inside the container.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Writes all data to its standard output.
    pub dump: String,
    /// Reads it from its standard input, into an empty installation.
    pub restore: String,
    /// No run has proved it yet.
    #[serde(default)]
    pub unproven: bool,
}

/// A series without fixes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndOfLife {
    /// The beginning of its tags: `13`, `8.0`, `bullseye`.
    pub series: String,
    /// The month of its last fix: `2025-11`.
    pub since: String,
}

impl Image {
    /// The ending of variables that name a file.
    pub fn file_suffix(&self) -> &str {
        self.file_suffix.as_deref().unwrap_or("_FILE")
    }

    /// Where the version with that tag keeps its data.
    pub fn data_paths(&self, reference: &Reference<'_>) -> Vec<&str> {
        let major = reference.major();
        let fits = |volume: &&Volume| {
            let Some(major) = major else { return true };
            volume.from.is_none_or(|from| major >= from) && volume.until.is_none_or(|until| major <= until)
        };
        self.volumes.iter().filter(fits).map(|volume| volume.path.as_str()).collect()
    }

    /// The series of that tag, when it gets no fixes any more.
    pub fn ended(&self, reference: &Reference<'_>) -> Option<&EndOfLife> {
        self.end_of_life.iter().find(|ended| reference.is_of_series(&ended.series))
    }
}
