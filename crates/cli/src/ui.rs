//! The only place that writes to the terminal: data to standard output, everything else to standard error.

mod paint;
mod plan;
mod steps;
mod table;

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use seaworthy_engine::LogStream;

use crate::error::{CommandError, Message};
use crate::surroundings::Surroundings;
use crate::terminal;

pub(crate) use paint::{Paint, Tone};
pub(crate) use plan::plan_text;
pub(crate) use steps::Steps;
pub(crate) use table::Table;

/// Writes for people and programs.
pub(crate) struct Ui {
    /// Colours for standard output.
    pub(crate) out: Paint,
    /// Colours for standard error.
    pub(crate) err: Paint,
    quiet: bool,
    pub(crate) verbose: bool,
    pub(crate) live: bool,
    surroundings: Surroundings,
    failed: Mutex<Option<String>>,
}

impl Ui {
    pub(crate) fn new(surroundings: &Surroundings, quiet: bool, verbose: bool) -> Self {
        let forced = surroundings.variable("FORCE_COLOR").is_some();
        let none =
            surroundings.variable("NO_COLOR").is_some() || surroundings.variable("TERM") == Some("dumb");
        let colour = |terminal: bool| !none && (terminal || forced);
        Self {
            out: Paint::new(colour(surroundings.stdout_is_terminal)),
            err: Paint::new(colour(surroundings.stderr_is_terminal)),
            quiet,
            verbose,
            live: surroundings.stderr_is_terminal,
            surroundings: surroundings.clone(),
            failed: Mutex::new(None),
        }
    }

    /// Data: to standard output. Answers whether somebody still reads; that nobody does is no error, anything else is
    /// told at the end.
    pub(crate) fn data(&self, text: &str) -> bool {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => true,
            Err(error) => {
                if error.kind() != io::ErrorKind::BrokenPipe {
                    *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                }
                false
            }
        }
    }

    /// What a command wrote, as it is. Answers whether somebody still reads.
    pub(crate) fn pass_on(&self, stream: LogStream, bytes: &[u8]) -> bool {
        let written = match stream {
            LogStream::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
            LogStream::Stderr => io::stderr().lock().write_all(bytes),
        };
        written.is_ok()
    }

    /// What went wrong with standard output, if anything did.
    pub(crate) fn output_error(&self) -> Option<String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A line for people, unless they asked for silence.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            self.insist(text);
        }
    }

    /// A line for people, always.
    pub(crate) fn insist(&self, text: &str) {
        let mut err = io::stderr().lock();
        let _ = writeln!(err, "{text}");
    }

    /// A warning.
    pub(crate) fn warn(&self, text: &str) {
        self.say(&format!("{} {text}", self.err.paint(Tone::Warning, "warning:")));
    }

    /// What to do next.
    pub(crate) fn hint(&self, text: &str) {
        self.insist(&format!("{} {text}", self.err.paint(Tone::Hint, "hint:")));
    }

    /// Everything an error has to say.
    pub(crate) fn error(&self, error: &CommandError) {
        if !error.problems.is_empty() {
            let text = seaworthy_audit::report::problems(&error.problems, &error.sources, self.err.is_on());
            self.insist(text.trim_end());
        }
        for message in &error.messages {
            self.message(message, error);
        }
    }

    fn message(&self, message: &Message, error: &CommandError) {
        let place = message.span.map(|span| format!("{}: ", error.sources.place(&span))).unwrap_or_default();
        let stop = if message.text.ends_with(['.', '!', '?']) { "" } else { "." };
        self.insist(&format!("{} {place}{}{stop}", self.err.paint(Tone::Error, "error:"), message.text));
        if let Some(hint) = &message.hint {
            let stop = if hint.ends_with(['.', '!', '?']) { "" } else { "." };
            self.hint(&format!("{hint}{stop}"));
        }
    }

    /// Asks a question that is answered with yes or no; no is the default.
    pub(crate) fn confirm(&self, question: &str) -> bool {
        let mut err = io::stderr().lock();
        let _ = write!(err, "{question} [y/N] ");
        let _ = err.flush();
        drop(err);
        matches!(self.surroundings.read_line().trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// Asks for what nobody may see as it is typed; nothing where that was called off.
    pub(crate) fn unseen(&self, question: &str) -> Option<Vec<u8>> {
        let mut err = io::stderr().lock();
        let _ = err.write_all(question.as_bytes()).and_then(|()| err.flush());
        let line = terminal::unseen_line();
        let _ = err.write_all(b"\n");
        line
    }

    /// Whether a person can answer.
    pub(crate) fn can_ask(&self) -> bool {
        self.surroundings.stdin_is_terminal && self.surroundings.stderr_is_terminal
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }
}
