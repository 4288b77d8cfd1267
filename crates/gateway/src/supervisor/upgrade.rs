//! Another program takes over: its worker is proven first, then the two change places, and the supervisor becomes it last.

use std::collections::BTreeMap;
use std::time::Duration;

use thiserror::Error;
use tokio::time::{Instant, sleep_until};

use super::{End, FromSupervisor, FromWorker, Running, Supervisor};
use crate::error::GatewayError;
use crate::launch::Program;
use crate::route::SetHash;

/// How long a worker of the other program may take to say what it would serve, and then to serve it.
const PROOF: Duration = Duration::from_secs(10);
/// How long the worker that serves may take to finish a change.
const YIELD: Duration = Duration::from_secs(15);

/// The sets of all projects, by their hashes.
pub(crate) type Sets = BTreeMap<String, SetHash>;

/// Why there was no upgrade.
#[derive(Debug, Error)]
pub(super) enum UpgradeError {
    #[error(transparent)]
    Start(GatewayError),
    #[error(
        "`{program}` ended, or said what no gateway says, before it served; `gateway/supervisor.log` may tell why"
    )]
    Ended { program: String },
    #[error("`{program}` was not ready to serve within {after:?}")]
    Late { program: String, after: Duration },
    #[error("the worker that serves did not give way within {after:?}")]
    Busy { after: Duration },
    #[error("the worker that served ended meanwhile")]
    Gone(Option<End>),
    #[error("`{program}` would serve other routes than the ones that are served: {differs}")]
    Differs { program: String, differs: String },
}

impl UpgradeError {
    /// How the worker that served ended, where it said so.
    pub(super) fn end(self) -> Option<End> {
        match self {
            Self::Gone(end) => end,
            _ => None,
        }
    }
}

/// Whose word is waited for.
#[derive(Clone, Copy, PartialEq)]
enum Whose {
    Old,
    New,
}

enum Silence {
    Late,
    Ended(Whose, Option<End>),
}

impl Supervisor {
    /// Has a worker of another program serve in place of the one that does, which accepts nothing more from then on. When it
    /// fails, the old one serves as before.
    pub(super) async fn change_workers(
        &mut self,
        old: &mut Running,
        program: &Program,
    ) -> Result<Running, UpgradeError> {
        let mut new = self.start(program, FromSupervisor::Try).await.map_err(UpgradeError::Start)?;
        let changed = self.prove(old, &mut new, program).await;
        match changed {
            Ok(()) => {
                let _ = old.channel.send(&FromSupervisor::Leave, None).await;
                Ok(new)
            }
            Err(error) => {
                // Dead before the other one is told that it alone serves.
                new.gone(true).await;
                let _ = old.channel.send(&FromSupervisor::Stay, None).await;
                Err(error)
            }
        }
    }

    async fn prove(
        &mut self,
        old: &mut Running,
        new: &mut Running,
        program: &Program,
    ) -> Result<(), UpgradeError> {
        let named = || program.path.display().to_string();
        let told = |silence| match silence {
            Silence::Late => UpgradeError::Late { program: named(), after: PROOF },
            Silence::Ended(Whose::New, _) => UpgradeError::Ended { program: named() },
            Silence::Ended(Whose::Old, end) => UpgradeError::Gone(end),
        };
        // It reads what it would serve, and touches nothing yet.
        self.sets(Whose::New, old, new, PROOF).await.map_err(told)?;
        let _ = old.channel.send(&FromSupervisor::Yield, None).await;
        let served = self.sets(Whose::Old, old, new, YIELD).await.map_err(|silence| match silence {
            Silence::Late => UpgradeError::Busy { after: YIELD },
            other => told(other),
        })?;
        // No change can come any more. Now it takes up everything, beside the one that serves.
        let _ = new.channel.send(&FromSupervisor::Go, None).await;
        let serving = self.sets(Whose::New, old, new, PROOF).await.map_err(told)?;
        if serving == served {
            return Ok(());
        }
        let differs = |name: &&String| serving.get(*name) != served.get(*name);
        let names: Vec<&str> =
            served.keys().chain(serving.keys()).filter(differs).map(String::as_str).collect();
        Err(UpgradeError::Differs { program: named(), differs: names.join(", ") })
    }

    /// The sets that one of the two names; both are obeyed meanwhile.
    async fn sets(
        &mut self,
        whose: Whose,
        old: &mut Running,
        new: &mut Running,
        limit: Duration,
    ) -> Result<Sets, Silence> {
        let until = Instant::now() + limit;
        loop {
            let (speaker, word) = tokio::select! {
                word = old.words.recv() => (Whose::Old, word),
                word = new.words.recv() => (Whose::New, word),
                () = sleep_until(until) => return Err(Silence::Late),
            };
            let worker = if speaker == Whose::Old { &mut *old } else { &mut *new };
            match word {
                None => return Err(Silence::Ended(speaker, None)),
                Some((FromWorker::Sets(sets), _)) if speaker == whose => return Ok(sets),
                Some((FromWorker::Sets(_), _)) => {}
                Some(word) => {
                    if let Some(end) = self.obey(worker, word).await {
                        return Err(Silence::Ended(speaker, Some(end)));
                    }
                }
            }
        }
    }
}
