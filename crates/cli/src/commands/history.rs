//! `history`: what was changed, when, by whom, and how it ended.

use seaworthy_release::{Deployment, DeploymentKind, DeploymentState, ReleaseNumber, ReleaseSummary};
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::context::{Context, Site};
use crate::error::{CommandError, Exit};
use crate::ui::Table;

/// List the changes of the project and the releases that are kept
#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// Text or JSON
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// With the journal of each change (JSON only)
    #[arg(long)]
    journal: bool,
}

pub(crate) fn history(context: &Context, arguments: &HistoryArgs) -> Result<Exit, CommandError> {
    let name = context.project_name()?;
    let site = context.site_that_is(&name)?;
    let changes = site.store.changes()?;
    let releases = site.store.releases()?;
    let current = site.store.current()?.map(|(release, _)| release);
    context.ui.data(&match arguments.format {
        Format::Text => format!(
            "{}\n{}",
            change_table(&changes).text(context.ui.out),
            release_table(&releases, current).text(context.ui.out)
        ),
        Format::Json => {
            let changes = changes.iter().map(|change| told(&site, change, arguments.journal)).collect::<Result<Vec<_>, _>>()?;
            let told = json!({
                "version": 1, "project": name.as_str(), "current": current, "changes": changes, "releases": releases,
            });
            format!("{}\n", serde_json::to_string_pretty(&told).unwrap_or_default())
        }
    });
    Ok(Exit::Done)
}

fn told(site: &Site, change: &Deployment, journal: bool) -> Result<Value, CommandError> {
    let mut told = json!(change);
    if journal {
        told["journal"] = json!(site.store.journal_of(change.id)?);
    }
    Ok(told)
}

fn change_table(changes: &[Deployment]) -> Table {
    let mut table = Table::new(&["WHEN", "CHANGE", "FROM", "TO", "BY", "RESULT"]);
    let number = |end: Option<ReleaseNumber>| end.map_or("-".to_owned(), |release| release.to_string());
    for change in changes {
        let took = change.ended_at.map(|end| {
            format!(" ({:.1} s)", (end - change.started_at).total(jiff::Unit::Second).unwrap_or(0.0))
        });
        let failed = !matches!(change.state, DeploymentState::Done | DeploymentState::Finished);
        let reason =
            change.reason.as_ref().filter(|_| failed).map(|reason| format!(": {}", shortened(reason)));
        table.row(vec![
            change.started_at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            change.kind.to_string(),
            number(change.from.as_ref().map(|(release, _)| *release)),
            number(change.to.as_ref().map(|(release, _)| *release)),
            change.owner.user.clone(),
            match (change.kind, failed) {
                (DeploymentKind::Heal, false) => {
                    format!(
                        "{}{}: {}",
                        change.state,
                        took.unwrap_or_default(),
                        shortened(&change.causes.join("; "))
                    )
                }
                // What was broken is still broken; there was nothing to go back to.
                (DeploymentKind::Heal, true) if change.state == DeploymentState::RolledBack => {
                    format!("failed{}", reason.unwrap_or_default())
                }
                _ => format!("{}{}{}", change.state, took.unwrap_or_default(), reason.unwrap_or_default()),
            },
        ]);
    }
    table
}

/// The beginning of a reason; the whole of it is in the JSON and in the failure bundle.
fn shortened(reason: &str) -> String {
    const LONGEST: usize = 80;
    match reason.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &reason[..end]),
        None => reason.to_owned(),
    }
}

fn release_table(releases: &[ReleaseSummary], current: Option<ReleaseNumber>) -> Table {
    let mut table = Table::new(&["RELEASE", "MADE", "COMMIT", "STATE"]);
    for release in releases {
        let commit = release.commit.as_ref().map_or("-".to_owned(), |commit| {
            let short: String = commit.chars().take(12).collect();
            if release.dirty { format!("{short} + changes") } else { short }
        });
        let state = match (current == Some(release.number), release.good) {
            (true, _) => "runs",
            (false, true) => "good",
            (false, false) => "never reached",
        };
        table.row(vec![
            release.number.to_string(),
            release.created_at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            commit,
            state.to_owned(),
        ]);
    }
    table
}
