//! One more process that the supervisor keeps alive, without knowing what it is.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::launch::Program;

/// The first and the longest pause before it is started again, when it does not live long.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// It lived so long: pauses begin anew.
const LIVED: Duration = Duration::from_secs(10);
/// After it ended well: it found nothing to do, which may change.
const RESTED: Duration = Duration::from_secs(5);

/// Keeps the companion alive until this value is dropped. The companion is not ended then: its standard input is
/// closed, which tells it.
pub(crate) struct Companion {
    task: Option<JoinHandle<()>>,
    /// Its process; 0 while there is none.
    process: Arc<AtomicU32>,
}

impl Companion {
    /// Starts the companion of a program, if it has one.
    pub(crate) fn start(program: &Program) -> Self {
        let wanted = !program.companion.is_empty();
        let process = Arc::<AtomicU32>::default();
        let task = wanted.then(|| tokio::spawn(keep(program.clone(), process.clone())));
        Self { task, process }
    }

    /// Its process, while there is one.
    pub(crate) fn process(&self) -> Option<u32> {
        Some(self.process.load(Ordering::Relaxed)).filter(|process| *process != 0)
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn keep(program: Program, process: Arc<AtomicU32>) {
    let mut pause = PAUSE;
    loop {
        let began = Instant::now();
        let mut command = Command::new(&program.path);
        // As with the other processes: nothing of the caller's environment.
        command.args(&program.companion).env_clear().current_dir("/");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let rested = match child {
            Ok(mut child) => {
                let _open = child.stdin.take();
                process.store(child.id().unwrap_or(0), Ordering::Relaxed);
                let ended = child.wait().await;
                process.store(0, Ordering::Relaxed);
                ended.is_ok_and(|status| status.success())
            }
            // Its program may be missing while it is being replaced.
            Err(_) => false,
        };
        if began.elapsed() >= LIVED {
            pause = PAUSE;
        }
        sleep(if rested { RESTED } else { pause }).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
