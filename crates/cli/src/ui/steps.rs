//! The steps of a change as they happen: a live line on a terminal, plain lines elsewhere.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use seaworthy_release::{Event, Progress, Step};

use crate::ui::{Paint, Tone, Ui};

/// Tells the steps of a change.
pub(crate) struct Steps {
    paint: Paint,
    live: bool,
    quiet: bool,
    verbose: bool,
    /// The step under way, when its line may be written over.
    open: Mutex<Option<String>>,
}

impl Steps {
    pub(crate) fn new(ui: &Ui) -> Self {
        Self {
            paint: ui.err,
            live: ui.live,
            quiet: ui.is_quiet(),
            verbose: ui.verbose,
            open: Mutex::new(None),
        }
    }

    fn line(&self, text: &str) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let clear = if self.live && open.take().is_some() { "\r\x1b[2K" } else { "" };
        let _ = writeln!(io::stderr().lock(), "{clear}{text}");
    }

    fn over(&self, text: &str) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let shown: String = text.chars().take(100).collect();
        let mut err = io::stderr().lock();
        let _ = write!(err, "\r\x1b[2K{shown}");
        let _ = err.flush();
        *open = Some(text.to_owned());
    }

    fn started(&self, number: usize, total: usize, step: &Step) {
        let text = format!("[{number}/{total}] {}", step.action);
        if self.live {
            self.over(&format!("… {text}"));
        } else if self.verbose {
            self.line(&text);
        }
    }
}

impl Progress for Steps {
    fn tell(&self, event: Event) {
        let good = |text: &str| self.paint.paint(Tone::Good, text);
        let bad = |text: &str| self.paint.paint(Tone::Error, text);
        match event {
            Event::StepFailed { step, reason } => {
                self.line(&format!("{} {}: {reason}", bad("✘"), step.action))
            }
            Event::LastLines { instance, lines } => {
                self.line(&format!("  {instance} wrote last:"));
                for line in lines {
                    self.line(&format!("    | {}", plain(&line)));
                }
            }
            Event::Bundle { path } => self.line(&format!("  what was seen is kept in {}", path.display())),
            Event::RollingBack { to: Some(release) } => {
                self.line(&format!("{} going back to release {release}", bad("↩")));
            }
            Event::RollingBack { to: None } => {
                self.line(&format!("{} taking away what was started; nothing ran before", bad("↩")));
            }
            Event::Settling { what, finish } => {
                let how = if finish { "finishing" } else { "undoing" };
                self.line(&format!("An earlier {what} was cut off: {how} it first."));
            }
            _ if self.quiet => {}
            Event::StepStarted { number, total, step } => self.started(number, total, &step),
            Event::StepDone { number, total, step, took } => {
                let took = format!("{:.1} s", took.as_secs_f64());
                self.line(&format!("{} [{number}/{total}] {}  {took}", good("✔"), step.action));
            }
            Event::Waiting { instance, detail } if self.live => self.over(&format!("… {instance}: {detail}")),
            Event::Waiting { instance, detail } if self.verbose => {
                self.line(&format!("  {instance}: {detail}"))
            }
            Event::Waiting { .. } => {}
            Event::Build { service, line } if self.verbose => self.line(&format!("  {service} | {line}")),
            Event::Build { service, line } if self.live => {
                self.over(&format!("… building {service}: {line}"))
            }
            Event::Build { .. } => {}
            Event::Note(note) => self.line(&format!("  {note}")),
        }
    }
}

/// A line of somebody else's output, cut to what a screen shows, with nothing in it that moves a cursor.
fn plain(line: &str) -> String {
    const MOST: usize = 200;
    line.chars().filter(|c| !c.is_control()).take(MOST).collect()
}
