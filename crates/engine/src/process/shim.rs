//! The shim: a small process that holds one instance, its log, its exit status and its restarts.

pub(super) mod child;
mod life;

use std::io::Read;
use std::path::Path;

use crate::process::folder::Now;
use crate::process::shim::life::Life;
use crate::process::spec::Spec;
use crate::process::who::Who;
use crate::{InstanceState, system};

/// The largest spec that is taken.
const MOST_BYTES: u64 = 8 << 20;

/// Plays the shim of the instance in `folder`, whose spec comes over standard input; returns its exit code. Ends
/// when the instance has ended for good, or after it was stopped.
pub fn shim_main(folder: &Path) -> i32 {
    // A session of its own, so that no terminal's end reaches it. It fails only when it is one already.
    let _ = nix::unistd::setsid();
    // What the program leaves behind becomes this process's child, so that it is found when the program ends.
    let _ = nix::sys::prctl::set_child_subreaper(true);
    let mut text = Vec::new();
    let read = std::io::stdin().take(MOST_BYTES).read_to_end(&mut text);
    let spec: Spec = match read
        .map_err(|error| error.to_string())
        .and_then(|_| serde_json::from_slice(&text).map_err(|error| error.to_string()))
    {
        Ok(spec) => spec,
        Err(_) => return 2,
    };
    drop(zeroize::Zeroizing::new(text));
    let Some(shim) = Who::of(std::process::id()) else { return 2 };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return 2 };
    let now = Now {
        version: Now::version(),
        shim,
        state: InstanceState::Created,
        process: None,
        started_at: None,
        restarts: 0,
        exit: None,
        limits: String::new(),
        trouble: None,
    };
    match runtime.block_on(Life::new(folder, spec, now).run()) {
        Ok(()) => 0,
        Err(error) => {
            let note = format!("{} {error}\n", system::now());
            let _ = system::append(&folder.join("shim.log"), 0o600)
                .and_then(|mut file| std::io::Write::write_all(&mut file, note.as_bytes()));
            1
        }
    }
}
