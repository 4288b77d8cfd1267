//! Files beside a project that say what its services are made of. Loading reads them and judges nothing.

use std::path::PathBuf;

use indexmap::IndexMap;

use crate::{FileId, ServiceName, Span};

/// Files beside a project: what its images are built from, and where its variables are written.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// What each service with a local `build` is built from.
    pub builds: IndexMap<ServiceName, BuildFiles>,
    /// Files of variables in the project's folder: `.env`, `.env.production`, `web.env`, `.env.example`.
    pub environment: Vec<FileId>,
    /// Those of them that the project was loaded with.
    pub used: Vec<FileId>,
    /// Whether the project's folder lies in a Git repository.
    pub in_git: bool,
    /// What Git leaves out: each file's folder, and the file. The project's own folder is first.
    pub git_ignores: Vec<(PathBuf, FileId)>,
}

/// What one service is built from.
#[derive(Debug, Clone)]
pub struct BuildFiles {
    /// Its Dockerfile.
    pub dockerfile: DockerfileText,
    /// What does not become part of the build's context.
    pub ignore: Option<FileId>,
    /// The names in the folder that is the build's context.
    pub names: Vec<PathBuf>,
}

/// Where the text of a Dockerfile stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DockerfileText {
    /// In a file of its own.
    File(FileId),
    /// In a Compose file: the text, and the place of the value.
    Inline(String, Span),
    /// It could not be read; the words say why.
    Unread(String),
}
