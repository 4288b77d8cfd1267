//! Colours, which never carry meaning alone.

use anstyle::{AnsiColor, Style};

/// Paints text, or leaves it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Error,
    Warning,
    Hint,
    Good,
    Heading,
    Faint,
    /// One of six colours that tell services apart.
    Service(usize),
}

impl Paint {
    pub(crate) fn new(on: bool) -> Self {
        Self { on }
    }

    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.on {
            return text.to_owned();
        }
        let style = style(tone);
        format!("{style}{text}{style:#}")
    }
}

fn style(tone: Tone) -> Style {
    const SERVICES: [AnsiColor; 6] = [
        AnsiColor::Cyan,
        AnsiColor::Magenta,
        AnsiColor::Green,
        AnsiColor::Yellow,
        AnsiColor::Blue,
        AnsiColor::BrightRed,
    ];
    let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
    match tone {
        Tone::Error => colour(AnsiColor::Red).bold(),
        Tone::Warning => colour(AnsiColor::Yellow).bold(),
        Tone::Hint => colour(AnsiColor::Cyan).bold(),
        Tone::Good => colour(AnsiColor::Green).bold(),
        Tone::Heading => Style::new().bold(),
        Tone::Faint => Style::new().dimmed(),
        Tone::Service(index) => colour(SERVICES[index % SERVICES.len()]),
    }
}
