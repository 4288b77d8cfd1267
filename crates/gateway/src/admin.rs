//! The admin socket: one request a line, one answer a line, from the same user only.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{Instant, sleep, timeout};

use crate::error::GatewayError;
use crate::rim;
use crate::wire::{Answer, Ask, Asked, MAX_LINE_BYTES, Refusal, VERSION};
use crate::worker::Gateway;

/// How long a client may take to send its request.
const REQUEST: Duration = Duration::from_secs(10);
/// Between two looks whether a drain is done.
const LOOK: Duration = Duration::from_millis(5);
/// The longest drain.
const LONGEST_DRAIN: Duration = Duration::from_secs(24 * 3600);

/// Opens the socket for its owner alone.
pub(crate) fn open(gateway: &Gateway) -> Result<UnixListener, GatewayError> {
    let path = gateway.place.admin();
    let doing = || format!("listen on `{}`", path.display());
    rim::remove(&path).map_err(GatewayError::io(doing()))?;
    let listener = UnixListener::bind(&path).map_err(GatewayError::io(doing()))?;
    rim::make_private(&path).map_err(GatewayError::io(doing()))?;
    Ok(listener)
}

/// Answers until the worker ends.
pub(crate) async fn serve(listener: UnixListener, gateway: Arc<Gateway>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(one(stream, gateway.clone()));
            }
            Err(_) => sleep(LOOK).await,
        }
    }
}

async fn one(mut stream: UnixStream, gateway: Arc<Gateway>) {
    let own = rustix::process::geteuid().as_raw();
    if !stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0) {
        return;
    }
    let mut line = String::new();
    let (reader, mut writer) = stream.split();
    let mut reader = BufReader::new(reader).take(MAX_LINE_BYTES as u64);
    if !matches!(timeout(REQUEST, reader.read_line(&mut line)).await, Ok(Ok(1..))) {
        return;
    }
    let answer = answer(&line, &gateway).await;
    let stopping = matches!(answer, Answer::Stopping { stopping: true });
    let mut text = serde_json::to_vec(&answer).unwrap_or_default();
    text.push(b'\n');
    let _ = writer.write_all(&text).await;
    let _ = writer.shutdown().await;
    if stopping {
        gateway.stopping.send_replace(true);
    }
}

/// The answer to a line, whatever stands in it.
pub(crate) async fn answer(line: &str, gateway: &Arc<Gateway>) -> Answer {
    #[derive(serde::Deserialize)]
    struct Spoken {
        version: u32,
    }
    match serde_json::from_str::<Spoken>(line) {
        Ok(spoken) if spoken.version != VERSION => {
            return Answer::Refused { refusal: Refusal::Version { speaks: VERSION } };
        }
        _ => {}
    }
    let answered = match serde_json::from_str::<Asked>(line) {
        Ok(asked) => obey(asked.ask, gateway).await,
        Err(error) => Err(GatewayError::Invalid { reason: format!("the request cannot be read ({error})") }),
    };
    answered.unwrap_or_else(|error| Answer::Refused { refusal: error.into() })
}

async fn obey(ask: Ask, gateway: &Arc<Gateway>) -> Result<Answer, GatewayError> {
    Ok(match ask {
        Ask::Put { project, set } => Answer::Serving { hash: gateway.put(&project, Some(set)).await? },
        Ask::Remove { project } => {
            gateway.put(&project, None).await?;
            Answer::Done
        }
        Ask::Get { project } => {
            let table = gateway.table.load();
            Answer::Set {
                found: table.projects.get(&project).map(|entry| (entry.set.clone(), entry.hash.clone())),
            }
        }
        Ask::Maintain { project, maintenance } => {
            gateway.maintain(&project, maintenance).await?;
            Answer::Done
        }
        Ask::Maintained { project } => Answer::Maintained {
            found: gateway.closed.get(&project).map(|maintenance| maintenance.as_ref().clone()),
        },
        Ask::Check { project, set } => {
            gateway.check(&project, &set)?;
            Answer::Done
        }
        Ask::Drain { project, backends, limit_ms } => {
            let until = Instant::now() + Duration::from_millis(limit_ms).min(LONGEST_DRAIN);
            loop {
                let requests = gateway.left(&project, &backends);
                if requests == 0 || Instant::now() >= until {
                    gateway.cut(&project, &backends);
                    return Ok(Answer::Left { requests });
                }
                sleep(LOOK).await;
            }
        }
        Ask::SetAside { project, backends, aside } => {
            gateway.set_aside(&project, &backends, aside).await?;
            Answer::Done
        }
        // One that ends says so, for the caller to wait for its successor or start one.
        Ask::Status if gateway.is_closed().await => return Err(GatewayError::Stopping),
        Ask::Status => Answer::Status { status: gateway.status() },
        Ask::Metrics => {
            gateway.metrics.connections(&gateway.connections);
            Answer::Text { text: gateway.metrics.text(&gateway.table.load()) }
        }
        Ask::StopIfIdle => Answer::Stopping { stopping: gateway.close_if_idle().await },
    })
}
