//! What a person must still decide, as comments of the overlay.

use seaworthy_project::model::resource::FileResourceSource;

use super::Decision;
use crate::{Context, Finding, Hardened, Severity, Subject};

const BEGINNING: &str =
    "# To decide. Take a line away when it is settled; `seaworthy check` tells what is left.";

/// What hardening leaves to a person, as far as it matters before a deploy.
pub(super) fn of(hardened: &Hardened) -> Vec<Decision> {
    let decision = |finding: &Finding| {
        let question = format!("{} `seaworthy explain {}`", finding.message, finding.rule.id);
        Decision::new(finding.place.key(), question)
    };
    hardened.by_hand.iter().filter(|finding| finding.severity >= Severity::Medium).map(decision).collect()
}

/// What is to be asked about the files of variables and secrets that services read.
pub(super) fn of_files(context: &Context<'_>) -> Vec<Decision> {
    let reads = |subject: &Subject<'_>| {
        subject.service().environment.values().any(|value| context.is_environment_file(&value.span))
    };
    let decision = |subject: Subject<'_>| {
        let key = format!("services.{}.env_file", subject.name.value);
        let question = "The file is the one of development; what production needs otherwise belongs under `environment`.";
        Decision::new(key, question)
    };
    let secrets = context.project.secrets.iter().filter_map(|(name, secret)| match &secret.source {
        FileResourceSource::File(_) => {
            let question = "The file is the one of development too; production wants a secret of its own.";
            Some(Decision::new(format!("secrets.{name}"), question))
        }
        _ => None,
    });
    context.subjects().filter(reads).map(decision).chain(secrets).collect()
}

/// Services that are built from a stage made for development.
pub(super) fn of_stages(context: &Context<'_>) -> Vec<Decision> {
    let is_for_development = |stage: &str| {
        let stage = stage.to_ascii_lowercase();
        stage.starts_with("dev") || stage.starts_with("debug") || stage == "builder" || stage == "build"
    };
    let of = |subject: Subject<'_>| {
        let stage = subject.build.as_ref()?.value.target.as_deref()?;
        let key = format!("services.{}.build.target", subject.name.value);
        let question = format!(
            "It builds the stage `{stage}`: name the one for production, and the command, port and mounts that go with it."
        );
        is_for_development(stage).then(|| Decision::new(key, question))
    };
    context.subjects().filter_map(of).collect()
}

/// Whether an overlay has the service or secret that a key is about.
pub(super) fn speaks_of(overlay: &str, key: &str) -> bool {
    let Some(service) = key.strip_prefix("services.").and_then(|rest| rest.split('.').next()) else {
        return false;
    };
    overlay.lines().any(|line| {
        let line = line.trim_start().trim_start_matches(['"', '\'']);
        line.strip_prefix(service).is_some_and(|rest| rest.trim_start_matches(['"', '\'']).starts_with(':'))
    })
}

/// The overlay with every decision that it does not speak of yet.
pub(super) fn write(overlay: &str, decisions: &[Decision]) -> String {
    let newline = if overlay.contains("\r\n") { "\r\n" } else { "\n" };
    let line = |decision: &Decision| {
        let question: String =
            decision.question.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("#   {}: {question}", decision.key)
    };
    let new: Vec<String> =
        decisions.iter().map(line).filter(|line| !overlay.contains(line.as_str())).collect();
    if new.is_empty() {
        return overlay.to_owned();
    }
    let mut text = overlay.to_owned();
    if !text.ends_with('\n') {
        text.push_str(newline);
    }
    if !overlay.contains(BEGINNING) {
        text.push_str(&format!("{newline}{BEGINNING}{newline}"));
    }
    for line in new {
        text.push_str(&line);
        text.push_str(newline);
    }
    text
}
