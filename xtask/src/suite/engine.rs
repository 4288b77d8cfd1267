//! What a suite on a Docker Engine needs first: the engine, and the images that its tests name.

use std::error::Error;
use std::io::Write;

use super::{Docker, interrupted};
use crate::docker::{self, Daemon};
use crate::images::{self, ImagesArguments};
use crate::workspace::Workspace;

/// The engine that answers, or the one that was installed, with the images there; or why that cannot be.
pub(super) fn ready(
    workspace: &Workspace,
    docker: Docker,
    names: &[&str],
    output: &mut dyn Write,
) -> Result<Result<Daemon, String>, Box<dyn Error>> {
    let daemon = match docker {
        Docker::Use => {
            docker::answering().ok_or("no Docker Engine answers; `--docker=install` installs one".into())
        }
        Docker::Install => docker::installed(workspace, output),
    };
    let daemon = match daemon {
        Ok(daemon) => daemon,
        Err(error) if interrupted(&*error) => return Err(error),
        Err(error) => return Ok(Err(error.to_string())),
    };
    writeln!(output, "on {}", daemon.version)?;
    let wanted = ImagesArguments { names: names.iter().map(|name| (*name).to_owned()).collect() };
    let install = docker == Docker::Install;
    match images::images(workspace, &wanted, install, output) {
        Ok(_) => Ok(Ok(daemon)),
        Err(error) if interrupted(&*error) => Err(error),
        Err(error) => Ok(Err(format!("the images cannot be had: {error}"))),
    }
}
