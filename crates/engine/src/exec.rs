//! Running a command beside the main process of an instance.

use std::fmt;

use seaworthy_project::Sensitive;
use tokio::sync::mpsc;

use crate::LogStream;

/// A command to run beside the main process of an instance.
#[derive(Clone)]
pub struct Exec {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// Who runs it: `name`, `uid`, `uid:gid`; the instance's own user when absent.
    pub user: Option<String>,
    /// Where it runs; the instance's own folder when absent.
    pub folder: Option<String>,
    /// Variables besides the instance's own. Values may be secret.
    pub variables: Vec<(String, Sensitive)>,
    /// Whether it gets a terminal, where the engine has one to give.
    pub terminal: bool,
}

impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exec").field("words", &self.words).field("user", &self.user).finish_non_exhaustive()
    }
}

/// What goes in and comes out while a command runs.
#[derive(Debug)]
pub struct ExecStreams {
    /// What it reads; closed, its input ends.
    pub input: mpsc::Receiver<Vec<u8>>,
    /// What it writes. With a terminal all of it comes as standard output.
    pub output: mpsc::Sender<(LogStream, Vec<u8>)>,
    /// What its user does meanwhile.
    pub control: mpsc::Receiver<ExecControl>,
}

/// What the user of a command does while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecControl {
    /// The terminal has this size.
    Size {
        /// Lines.
        rows: u16,
        /// Characters in a line.
        columns: u16,
    },
    /// A signal for it.
    Signal(i32),
}
