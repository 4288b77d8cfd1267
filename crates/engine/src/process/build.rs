//! Building from source: the user's own words, without a shell.

use seaworthy_project::{Project, Service};
use tokio::process::Command;

use crate::process::ProcessOptions;
use crate::{EngineError, lines};

/// Runs the build of a service, if it has one.
pub(super) async fn run(
    project: &Project,
    service: &Service,
    options: &ProcessOptions,
    output: &mut (dyn FnMut(&str) + Send + '_),
) -> Result<(), EngineError> {
    let words = service.settings.process.as_ref().and_then(|process| process.value.build.as_deref());
    let Some((program, arguments)) = words.and_then(<[String]>::split_first) else { return Ok(()) };
    let failed = |reason: String| EngineError::Build { service: service.name.value.to_string(), reason };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&project.directory).env_clear().env("PATH", &options.search_path);
    if let Some(home) = &options.home {
        command.env("HOME", home);
    }
    let ran = lines::run(command, output).await;
    let (status, last) = ran.map_err(|error| failed(format!("`{program}` could not be run: {error}")))?;
    match status.success() {
        true => Ok(()),
        false => Err(failed(format!(
            "`{}` ended with {status}; its last line: {last}",
            words.unwrap_or_default().join(" ")
        ))),
    }
}
