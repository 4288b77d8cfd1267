//! Where the source is, and where the programs built from it are.

#![expect(clippy::disallowed_methods, reason = "a program finds its neighbours by its own path")]

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::run::{self, RunError};

/// Building everything for the first time on a small machine, and then some.
const BUILD_LIMIT: Duration = Duration::from_secs(1_200);

/// The source tree and the folder its programs are built into.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
    programs: PathBuf,
}

/// Why a program is not there.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// This program does not know its own path.
    #[error("the folder of built programs was not found.")]
    Lost {
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Building took too long, or could not begin.
    #[error("`{packages}` could not be built.")]
    Build {
        /// Which.
        packages: String,
        /// What went wrong.
        #[source]
        source: RunError,
    },
    /// The compiler refused.
    #[error("`{packages}` could not be built; the compiler's message is above.")]
    Refused {
        /// Which.
        packages: String,
    },
}

impl Workspace {
    /// The workspace this program was built from; other programs of it are built beside this one.
    ///
    /// # Errors
    /// When this program does not know its own path.
    pub fn here() -> Result<Self, WorkspaceError> {
        let own = std::env::current_exe().map_err(|source| WorkspaceError::Lost { source })?;
        let mut programs = own.parent().unwrap_or(Path::new(".")).to_path_buf();
        // Test programs lie one deeper.
        if programs.ends_with("deps") {
            programs.pop();
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_path_buf();
        Ok(Self { root, programs })
    }

    /// The root of the source tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a program lies once [`Workspace::build`] has built its package.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Builds packages as users get them, showing the compiler's output.
    ///
    /// # Errors
    /// When the compiler refuses, or takes too long.
    pub fn build(&self, packages: &[&str]) -> Result<(), WorkspaceError> {
        let mut command = vec!["cargo", "build", "--quiet", "--locked"];
        command.extend(packages.iter().flat_map(|package| ["--package", package]));
        let names = || packages.join("`, `");
        let ran = run::run(&self.root, &command, BUILD_LIMIT)
            .map_err(|source| WorkspaceError::Build { packages: names(), source })?;
        if ran.status.success() { Ok(()) } else { Err(WorkspaceError::Refused { packages: names() }) }
    }

    /// Builds a package optimised, and returns its program.
    ///
    /// # Errors
    /// When the compiler refuses, or takes too long.
    pub fn build_release(&self, package: &str) -> Result<PathBuf, WorkspaceError> {
        self.optimised(package, &[])?;
        Ok(self.release().join(package))
    }

    /// Builds an example of a package optimised, and returns its program.
    ///
    /// # Errors
    /// When the compiler refuses, or takes too long.
    pub fn build_release_example(&self, package: &str, example: &str) -> Result<PathBuf, WorkspaceError> {
        self.optimised(package, &["--example", example])?;
        Ok(self.release().join("examples").join(example))
    }

    fn release(&self) -> PathBuf {
        self.programs.parent().unwrap_or(&self.programs).join("release")
    }

    fn optimised(&self, package: &str, target: &[&str]) -> Result<(), WorkspaceError> {
        let command = ["cargo", "build", "--release", "--quiet", "--locked", "--package", package];
        let packages = || package.to_owned();
        let ran = run::run(&self.root, &[&command, target].concat(), BUILD_LIMIT)
            .map_err(|source| WorkspaceError::Build { packages: packages(), source })?;
        if ran.status.success() { Ok(()) } else { Err(WorkspaceError::Refused { packages: packages() }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_lie_beside_this_one() {
        let workspace = Workspace::here().unwrap();
        assert!(workspace.root().join("xtask/Cargo.toml").is_file());
        let folder = workspace.program("seaworthy").parent().unwrap().to_path_buf();
        assert!(folder.join("deps").is_dir(), "{}", folder.display());
    }
}
