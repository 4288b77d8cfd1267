//! A worker as its supervisor knows it: the channel to it, what it says, and how it goes.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tokio::process::Child;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::FromWorker;
use crate::channel::Channel;
use crate::worker::FINISH;

/// How long a worker may take to finish what is in flight: a little longer than it gives itself.
const STOP: Duration = FINISH.saturating_add(Duration::from_secs(5));
/// Words of a worker that wait; it asks one thing at a time.
const MOST_WORDS: usize = 16;

pub(super) type Heard = (FromWorker, Option<OwnedFd>);

/// A worker that runs.
pub(super) struct Running {
    pub(super) channel: Arc<Channel>,
    pub(super) words: mpsc::Receiver<Heard>,
    /// None for one that another supervisor, or this process before it became another program, started.
    child: Option<Child>,
    pub(super) process: Option<Pid>,
    /// Ends the task that hears it between two words.
    enough: Option<oneshot::Sender<()>>,
    hearing: JoinHandle<()>,
}

impl Running {
    pub(super) fn new(channel: Arc<Channel>, child: Option<Child>, process: Option<Pid>) -> Self {
        let (words, enough, hearing) = hear(channel.clone());
        Self { channel, words, child, process, enough: Some(enough), hearing }
    }

    /// Whether this process started it itself.
    pub(super) fn is_child(&self) -> bool {
        self.child.is_some()
    }

    /// Stops hearing it at the end of a word; gives what it said until then. Whoever has the channel next misses nothing.
    pub(super) async fn quiet(&mut self) -> Vec<Heard> {
        drop(self.enough.take());
        let mut said = Vec::new();
        // The task ends by itself, or waits for room among the words.
        while let Some(word) = self.words.recv().await {
            said.push(word);
        }
        let _ = (&mut self.hearing).await;
        said
    }

    /// Hears it again.
    pub(super) fn listen(&mut self) {
        let (words, enough, hearing) = hear(self.channel.clone());
        (self.words, self.enough, self.hearing) = (words, Some(enough), hearing);
    }

    /// Asks it to finish what is in flight and end.
    pub(super) fn terminate(&self) {
        if let Some(process) = self.process {
            let _ = kill_process(process, Signal::TERM);
        }
    }

    /// Waits until it has ended, for a while; one that is dead or stuck is killed.
    pub(super) async fn gone(mut self, dead: bool) {
        let ended = async { while self.words.recv().await.is_some() {} };
        let stuck = !dead && timeout(STOP, ended).await.is_err();
        match &mut self.child {
            Some(child) => {
                let _ = child.kill().await;
            }
            None => {
                if let Some(process) = self.process {
                    // Its end of the channel is open, so the process is still the one that named itself.
                    if stuck {
                        let _ = kill_process(process, Signal::KILL);
                    }
                    let _ = timeout(STOP, reap(process)).await;
                }
            }
        }
    }
}

fn hear(channel: Arc<Channel>) -> (mpsc::Receiver<Heard>, oneshot::Sender<()>, JoinHandle<()>) {
    let (words, heard) = mpsc::channel(MOST_WORDS);
    let (enough, mut told) = oneshot::channel();
    let hearing = tokio::spawn(async move {
        loop {
            // A word that has begun is heard to its end: only between two of them may somebody else take over.
            let more = tokio::select! {
                biased;
                _ = &mut told => return,
                more = channel.readable() => more,
            };
            let Ok(Some(word)) = (match more {
                Ok(()) => channel.receive::<FromWorker>().await,
                Err(error) => Err(error),
            }) else {
                return;
            };
            if words.send(word).await.is_err() {
                return;
            }
        }
    });
    (heard, enough, hearing)
}

/// Waits until a child has ended that this process had before it became another program. One that is no child is not
/// waited for.
pub(super) async fn reap(process: Pid) {
    let Ok(mut changes) = signal(SignalKind::child()) else { return };
    while let Ok(None) = waitpid(Some(process), WaitOptions::NOHANG) {
        changes.recv().await;
    }
}
