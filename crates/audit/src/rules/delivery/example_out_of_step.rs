//! An example that lacks a variable misleads.

use seaworthy_project::model::resource::FileResourceSource;
use seaworthy_project::{Position, Span};

use crate::credential::references;
use crate::environment_file::{EnvironmentFile, Role};
use crate::{Context, Findings, Group, Level, Mend, Place, Rule, Severity, TextEdit};

pub(crate) const RULE: Rule = Rule {
    id: "example-out-of-step",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Delivery,
    summary: "example file lacks a variable that is used",
    why: "Whoever sets the project up from the example starts it without that variable.",
    fix: "Add the name to the example, without its value.",
    bad: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nA=1\n--- .env.example\nB=\n",
    good: "--- compose.yaml\nservices:\n  web:\n    image: shop:1.4\n    environment:\n      A: ${A}\n--- \
          .env\nA=1\n--- .env.example\nA=\n",
    more: &[],
    references: &["The Twelve-Factor App, III"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let examples: Vec<_> =
        context.environment_files.iter().filter(|file| file.role == Role::Example).collect();
    let Some(example) = examples.first() else { return };
    let files = context.environment_files.iter().filter(|file| file.role == Role::Used);
    for file in files {
        for variable in &file.variables {
            // Each environment may have an example of its own, and a comment that speaks of the name will do.
            let mentioned = examples.iter().any(|example| example.text.contains(variable.name));
            if !mentioned && is_used(context, variable.name) {
                let message =
                    format!("`{}` is used, and `{}` does not have it.", variable.name, example.name);
                let mend = Mend::new(Level::Safe, appended(example, variable.name));
                let place = Place::project(&[&example.name, variable.name]);
                findings.report(place, variable.name_span, message).mend(mend);
            }
        }
    }
}

/// The name at the end of the example, without its value.
fn appended(example: &EnvironmentFile<'_>, name: &str) -> TextEdit {
    let text = example.text;
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { newline };
    let end = Position { byte: text.len(), ..example.start().end };
    TextEdit::replace(Span { start: end, end, file: example.id }, format!("{gap}{name}={newline}"))
}

/// Whether a Compose file of the project names a variable.
pub(in crate::rules) fn is_used(context: &Context<'_>, name: &str) -> bool {
    fills_a_file(context, name) || is_interpolated(context, name)
}

/// Whether a secret or config takes its content from it.
fn fills_a_file(context: &Context<'_>, name: &str) -> bool {
    let project = context.project;
    project.secrets.values().chain(project.configs.values()).any(|resource| {
        matches!(&resource.source, FileResourceSource::Environment(variable, _) if variable.value == name)
    })
}

fn is_interpolated(context: &Context<'_>, name: &str) -> bool {
    context.project.sources.iter().any(|(_, source)| {
        let is_compose = source.path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        is_compose
            && references(&source.text).any(|reference| {
                let end = reference
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                    .unwrap_or(reference.len());
                &reference[..end] == name
            })
    })
}
