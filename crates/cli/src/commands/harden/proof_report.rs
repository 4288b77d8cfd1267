//! What a proof found, for people and for programs.

use std::collections::BTreeSet;

use seaworthy_project::{Project, ServiceName};
use seaworthy_release::{Proof, Proven};
use serde_json::{Value, json};

use super::proof_keys;
use crate::arguments::Format;
use crate::ui::{Table, Tone, Ui};

/// Everything that came of a proof.
pub(super) struct Report<'a> {
    pub(super) project: &'a Project,
    pub(super) overlay: &'a str,
    pub(super) proven: &'a [Proven],
    /// Services whose proof could not be written, and why.
    pub(super) refused: &'a [(ServiceName, String)],
    pub(super) diff: String,
    pub(super) dry_run: bool,
}

impl Report<'_> {
    pub(super) fn tell(&self, ui: &Ui, format: Format) {
        match format {
            Format::Json => {
                ui.data(&format!("{}\n", serde_json::to_string_pretty(&self.json()).unwrap_or_default()));
            }
            Format::Text => {
                ui.data(&self.table(ui));
                if self.dry_run && !self.diff.is_empty() {
                    ui.data(&format!("\n{}", self.diff));
                }
            }
        }
        for (service, reason) in self.refused {
            ui.say(&format!("  not written for `{service}`: {reason}"));
        }
        let path = self.overlay;
        match (self.diff.is_empty(), self.dry_run) {
            (true, _) => ui.say(&format!("`{path}` needs no change.")),
            (false, true) => ui.say(&format!("`{path}` would be changed; nothing was written.")),
            (false, false) => {
                let text = format!("What was proven was written to `{path}`.");
                ui.say(&ui.err.paint(Tone::Good, &text));
            }
        }
    }

    fn table(&self, ui: &Ui) -> String {
        let mut table = Table::new(&["SERVICE", "USER", "CAPABILITIES", "WRITABLE", "NOT KEPT", "TRIES"]);
        for one in self.proven {
            let Some(proof) = &one.proof else {
                let dash = || "-".to_owned();
                table.row(vec![
                    one.service.to_string(),
                    dash(),
                    dash(),
                    dash(),
                    "not tried".to_owned(),
                    dash(),
                ]);
                continue;
            };
            let rights = &proof.rights;
            let dropped: Vec<&str> = proof.dropped.keys().copied().collect();
            table.row(vec![
                one.service.to_string(),
                rights.user.clone().unwrap_or_else(|| "as it is".to_owned()),
                listed(rights.capabilities.as_ref()),
                listed(rights.writable.as_ref()),
                if dropped.is_empty() { "-".to_owned() } else { dropped.join(" ") },
                one.tries.to_string(),
            ]);
        }
        let mut text = table.text(ui.out);
        for one in self.proven {
            match &one.proof {
                Some(proof) => {
                    text.push_str(&format!("\n{} on {}\n", one.service, proof_keys::image(one)));
                    text.push_str(&evidence(one, proof));
                }
                None => text.push_str(&format!("\n{} on {}\n{}", one.service, one.image, self.untried(one))),
            }
        }
        text
    }

    fn untried(&self, one: &Proven) -> String {
        let Some(untried) = &one.untried else { return String::new() };
        let place = untried.span.map(|span| format!("{}: ", self.project.sources.place(&span)));
        format!("  not tried: {}{}\n", place.unwrap_or_default(), untried.reason)
    }

    fn json(&self) -> Value {
        let service = |one: &Proven| {
            let mut told = json!(one);
            told["untried"] = json!(one.untried.as_ref().map(|untried| &untried.reason));
            told
        };
        json!({
            "version": 1,
            "project": self.project.name.as_str(),
            "overlay": self.overlay,
            "changed": !self.diff.is_empty() && !self.dry_run,
            "diff": self.diff,
            "services": self.proven.iter().map(service).collect::<Vec<_>>(),
            "not_written": self.refused.iter().map(|(service, reason)| json!({
                "service": service.as_str(), "reason": reason,
            })).collect::<Vec<_>>(),
        })
    }
}

fn listed(items: Option<&BTreeSet<String>>) -> String {
    match items {
        None => "as they are".to_owned(),
        Some(items) if items.is_empty() => "none".to_owned(),
        Some(items) => items.iter().cloned().collect::<Vec<_>>().join(" "),
    }
}

fn evidence(one: &Proven, proof: &Proof) -> String {
    let mut text = format!("  healthy: {}\n", one.asked);
    for (item, symptom) in &proof.needed {
        text.push_str(&format!("  without {item}: {symptom}\n"));
    }
    for (setting, symptom) in &proof.dropped {
        text.push_str(&format!("  not kept, {setting}: {symptom}\n"));
    }
    for folder in &one.copied {
        text.push_str(&format!("  tried on a copy of {}\n", folder.display()));
    }
    text
}
