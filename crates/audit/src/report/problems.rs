//! Problems of the user's files, each with its place, its source line and a hint.

use annotate_snippets::Level;
use seaworthy_project::{Problem, Sources};

use super::snippet::{Message, Shown};

/// Every problem as text: the source line with a caret, the place as `path:line:column`, and what to do.
pub fn problems(problems: &[Problem], sources: &Sources, color: bool) -> String {
    show(problems, sources, color, &Level::ERROR)
}

/// The same for what is odd but not wrong.
pub fn warnings(warnings: &[Problem], sources: &Sources, color: bool) -> String {
    show(warnings, sources, color, &Level::WARNING)
}

fn show(problems: &[Problem], sources: &Sources, color: bool, level: &Level<'static>) -> String {
    let shown = Shown::new(sources);
    let mut text = String::new();
    for problem in problems {
        let message = Message {
            level: level.clone(),
            id: None,
            title: problem.message.clone(),
            span: problem.span,
            related: &problem.related,
            footer: problem.hint.iter().map(|hint| (Level::HELP.with_name("hint"), hint.clone())).collect(),
        };
        text.push_str(&shown.render(&message, color));
        text.push_str("\n\n");
    }
    text
}
