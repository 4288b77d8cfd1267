//! Where requests come in: routes and probes for the services that answer them.

use seaworthy_catalog::{Kind, PortRole};
use seaworthy_project::model::port::{Port, Protocol};

use super::framework::Framework;
use super::{Decision, Proposal};
use crate::{Context, EditValue, Subject};

/// Ports on which programs that answer requests usually listen.
const HTTP_PORTS: [u16; 14] =
    [80, 3000, 3001, 4000, 4200, 4567, 5000, 5173, 8000, 8001, 8008, 8080, 8081, 8888];

/// A route for each service that is published and answers requests, and a probe where nothing tells that it is ready.
pub(super) fn proposals(context: &Context<'_>, recognised: &[(String, &'static Framework)]) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for subject in context.running() {
        let framework = recognised.iter().find(|(name, _)| *name == subject.name.value.as_str());
        let framework = framework.map(|(_, framework)| *framework);
        let Some(port) = entry(&subject, framework) else { continue };
        if subject.settings.route.is_none() {
            proposals.push(route(&subject, port));
        }
        if let Some(proposal) = probe(context, &subject, framework) {
            proposals.push(proposal);
        }
    }
    proposals
}

/// The published port on which a service answers requests, as far as can be told.
fn entry(subject: &Subject<'_>, framework: Option<&Framework>) -> Option<u16> {
    let published = || {
        let ports = subject.service().ports.iter().map(|port| &port.value);
        ports.filter(|port| port.protocol == Protocol::Tcp && port.published.is_some())
    };
    let speaks = |port: &&Port| match &port.app_protocol {
        Some(said) => said.eq_ignore_ascii_case("http"),
        None => HTTP_PORTS.contains(&port.target),
    };
    match subject.known {
        Some(known) if known.kind.is_internal() => None,
        Some(known) => published()
            .find(|port| {
                let fact = known.ports.iter().find(|fact| fact.port == port.target);
                speaks(port)
                    && fact.is_none_or(|fact| matches!(fact.role, PortRole::Public | PortRole::Client))
            })
            .map(|port| port.target),
        None => {
            let first = published().find(speaks).map(|port| port.target);
            let only = || published().next().map(|port| port.target);
            first.or_else(|| framework.filter(|framework| framework.answers).and_then(|_| only()))
        }
    }
}

fn route(subject: &Subject<'_>, port: u16) -> Proposal {
    let edits = vec![
        subject.edit(&["x-seaworthy", "route", "path"], EditValue::text("/")),
        subject.edit(&["x-seaworthy", "route", "port"], EditValue::plain(port)),
    ];
    let key = format!("services.{}.x-seaworthy.route", subject.name.value);
    let question = "Add `host: your.name` when more than one project or name is served at this port.";
    Proposal { edits, decision: Some(Decision::new(key, question)) }
}

fn probe(context: &Context<'_>, subject: &Subject<'_>, framework: Option<&Framework>) -> Option<Proposal> {
    let settings = &subject.settings.probe;
    let in_image =
        || context.build_of(&subject.name.value).is_some_and(|(file, build)| build.has_healthcheck(file));
    let tested = subject.healthcheck.is_some()
        || settings.ready.is_some()
        || settings.live.is_some()
        || subject.known.is_some_and(|known| known.health.is_some())
        || in_image();
    if tested || subject.known.is_some_and(|known| known.kind == Kind::Proxy && known.id == "traefik") {
        return None;
    }
    let path = framework.and_then(|framework| framework.health);
    let target = EditValue::text(format!("GET {}", path.unwrap_or("/")));
    let edit = subject.edit(&["x-seaworthy", "probe", "ready"], target);
    let key = format!("services.{}.x-seaworthy.probe", subject.name.value);
    let question = "Name a path that answers 200 only when the service can work; `/` is a guess.";
    Some(Proposal { edits: vec![edit], decision: path.is_none().then(|| Decision::new(key, question)) })
}
