//! The exercise of a service: a command inside that does what real use would do.

use std::time::Duration;

use seaworthy_engine::{Engine, EngineError, Exec, ExecStreams, InstanceId, Revision};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::ProveError;

/// How long an exercise may take.
const LIMIT: Duration = Duration::from_secs(60);
/// Bytes of its output that are shown.
const SHOWN: usize = 300;
/// Parts of output that may wait.
const WAITING: usize = 64;

/// A command and its arguments.
pub(super) type Exercise = Vec<String>;

/// Runs it once; how it failed, if it did.
pub(super) async fn run(
    engine: &dyn Engine,
    revision: &Revision,
    instance: &InstanceId,
    exercise: &Exercise,
) -> Result<Option<String>, ProveError> {
    let exec =
        Exec { words: exercise.clone(), user: None, folder: None, variables: Vec::new(), terminal: false };
    let (no_input, input) = mpsc::channel(1);
    drop(no_input);
    let (written, mut output) = mpsc::channel(WAITING);
    let (_silent, control) = mpsc::channel(1);
    let streams = ExecStreams { input, output: written, control };
    let gathered = async {
        let mut text = Vec::new();
        while let Some((_, bytes)) = output.recv().await {
            let room = SHOWN.saturating_sub(text.len());
            text.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        text
    };
    let ran = timeout(LIMIT, async {
        tokio::join!(engine.exec(&revision.project, instance, &exec, streams), gathered)
    });
    let Ok((code, output)) = ran.await else {
        return Ok(Some(format!("its exercise did not end within {} s", LIMIT.as_secs())));
    };
    let output = String::from_utf8_lossy(&output).lines().map(str::trim).collect::<Vec<_>>().join(" ");
    match code {
        Ok(0) => Ok(None),
        Ok(code) => Ok(Some(format!("its exercise ended with exit code {code}: {}", output.trim()))),
        // It went while the exercise was about to begin: how it ended is told better by itself.
        Err(EngineError::NoInstance { .. } | EngineError::Refused { .. }) => {
            Ok(Some("its exercise could not be run".to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}
