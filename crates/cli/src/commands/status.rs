//! `status`: what runs, against what should.

use seaworthy_engine::{InstanceId, InstanceState};
use seaworthy_gateway::Maintenance;
use seaworthy_release::{DeploymentKind, Lock, Target, WantedKind, World};
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::context::{Context, Site};
use crate::error::{CommandError, Exit};
use crate::outcome::addresses;
use crate::ui::{Steps, Table, Tone};

/// Show what runs, against what should
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// Text or JSON
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// One service as a row.
struct Row {
    service: String,
    kind: &'static str,
    ready: usize,
    wished: u32,
    revision: String,
    addresses: Vec<String>,
}

pub(crate) async fn status(context: &Context, arguments: &StatusArgs) -> Result<Exit, CommandError> {
    let name = context.project_name()?;
    let site = context.site_that_is(&name)?;
    let steps = Steps::new(&context.ui);
    let world = site.operator(&steps).world().await?;
    let target = world.current.clone().unwrap_or_default();
    let unwell = unwell(&site).await;
    let rows = rows(&target, &world, &unwell);
    let closed = site.traffic.client().maintained(site.project.as_str()).await.ok().flatten();
    context.ui.data(&match arguments.format {
        Format::Text => {
            let mut text = text(context, &site, &target, &rows)?;
            if let Some(closed) = &closed {
                let label = context.ui.out.paint(Tone::Warning, "maintenance:");
                text.push_str(&format!(
                    "{label} clients are answered with 503 since {}; `seaworthy maintenance off` ends it.\n",
                    closed.since
                ));
            }
            text
        }
        Format::Json => json_text(&site, &target, &rows, closed.as_ref())?,
    });
    let short = rows.iter().any(|row| row.kind == "service" && row.ready < row.wished as usize);
    Ok(if short { Exit::Findings } else { Exit::Done })
}

/// The instances that the gateway asks and that do not answer as they should.
async fn unwell(site: &Site) -> Vec<String> {
    let Ok(status) = site.traffic.client().status().await else { return Vec::new() };
    let ours = status.projects.into_iter().filter(|project| project.project == site.project.as_str());
    ours.flat_map(|project| project.backends)
        .filter(|backend| !backend.well)
        .map(|backend| backend.id)
        .collect()
}

fn rows(target: &Target, world: &World, unwell: &[String]) -> Vec<Row> {
    target
        .services
        .iter()
        .map(|wanted| {
            let running = |id: &InstanceId| {
                let is =
                    |state| world.observed.instances.iter().any(|one| &one.id == id && one.state == state);
                is(InstanceState::Running) && world.proven.contains(id) && !unwell.contains(&id.to_string())
            };
            let job = wanted.kind != WantedKind::Replica;
            let done = target
                .release
                .is_some_and(|release| world.jobs_done.contains(&(release, wanted.service.clone())));
            Row {
                service: wanted.service.to_string(),
                kind: if job { "job" } else { "service" },
                ready: if job { usize::from(done) } else { wanted.instances().filter(running).count() },
                wished: wanted.replicas,
                revision: wanted.revision.to_string(),
                addresses: wanted.routes.iter().map(addresses::of).collect(),
            }
        })
        .collect()
}

fn text(context: &Context, site: &Site, target: &Target, rows: &[Row]) -> Result<String, CommandError> {
    let paint = context.ui.out;
    let mut text = match target.release {
        Some(release) => {
            let began = site
                .store
                .changes()?
                .into_iter()
                .filter(|change| change.kind != DeploymentKind::Heal)
                .find(|change| change.to.as_ref().is_some_and(|(to, _)| *to == release));
            let since = began.map_or(String::new(), |change| {
                format!(", since {}", change.started_at.strftime("%Y-%m-%d %H:%M:%SZ"))
            });
            format!("{}: release {release} on engine {}{since}\n", site.project, site.engine.name())
        }
        None => format!("{}: nothing runs\n", site.project),
    };
    if !rows.is_empty() {
        let mut table = Table::new(&["SERVICE", "READY", "REVISION", "REACHED AT"]);
        for row in rows {
            let ready = match (row.kind, row.ready) {
                ("job", 0) => "not run".to_owned(),
                ("job", _) => "done".to_owned(),
                (_, 0) if row.wished == 0 => "stopped".to_owned(),
                (_, ready) if ready < row.wished as usize => format!("{ready}/{} short", row.wished),
                (_, ready) => format!("{ready}/{}", row.wished),
            };
            table.row(vec![row.service.clone(), ready, row.revision.clone(), row.addresses.join(", ")]);
        }
        text.push_str(&table.text(paint));
    }
    if let Some(owner) = Lock::holder(site.store.folder()) {
        text.push_str(&format!(
            "A {} of {} is under way (process {}).\n",
            owner.command, owner.user, owner.process
        ));
    } else if let Some(change) = site.store.unfinished()? {
        let label = paint.paint(Tone::Warning, "unfinished:");
        text.push_str(&format!(
            "{label} a {} was cut off; the next command that changes things settles it first.\n",
            change.kind
        ));
    } else if let Some(change) = site.store.paused()? {
        let label = paint.paint(Tone::Warning, "paused:");
        text.push_str(&format!(
            "{label} a {} failed half-way and stays as it stands; `seaworthy deploy` goes on, `seaworthy rollback` goes back.\n",
            change.kind
        ));
    }
    Ok(text)
}

fn json_text(
    site: &Site,
    target: &Target,
    rows: &[Row],
    closed: Option<&Maintenance>,
) -> Result<String, CommandError> {
    let services: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "service": row.service, "kind": row.kind, "ready": row.ready, "replicas": row.wished,
                "revision": row.revision, "addresses": row.addresses,
            })
        })
        .collect();
    let told = json!({
        "version": 1, "project": site.project.as_str(), "engine": site.engine.name(), "release": target.release,
        "services": services, "under_way": Lock::holder(site.store.folder()),
        "paused": site.store.paused()?.map(|change| change.kind.to_string()),
        "unfinished": site.store.unfinished()?.map(|change| change.kind.to_string()),
        "maintenance_since": closed.map(|closed| closed.since.to_string()),
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&told).unwrap_or_default()))
}
