//! What stands behind a proxy should be reached through it.

use seaworthy_catalog::{Kind, lookup};
use seaworthy_project::model::port::{Port, Protocol};

use crate::context::is_open;
use crate::{Confidence, Context, EditValue, Findings, Fix, Group, Level, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "bypassed-proxy",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Network,
    summary: "service behind a reverse proxy is published too",
    why: "Whoever takes the published port goes round everything the proxy does: TLS, limits, log-ins, the log of requests.",
    fix: "Drop the port: the proxy reaches the service by its name. Or publish it to `127.0.0.1` only.",
    bad: "services:\n  proxy:\n    image: nginx:1.28\n    ports: [\"80:80\"]\n    depends_on: [web]\n  web:\n    image: shop:1.4\n    \
          ports: [\"8000:8000\"]\n",
    good: "services:\n  proxy:\n    image: nginx:1.28\n    ports: [\"80:80\"]\n    depends_on: [web]\n  web:\n    image: \
           shop:1.4\n    expose: [\"8000\"]\n",
    more: &[],
    references: &["CIS Docker 1.6, 5.9"],
    check,
};

/// Ports on which the world asks for a site.
const SITE: [u16; 2] = [80, 443];
/// No proxy passes it on, and it has a rule of its own.
const SSH: u16 = 22;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let proxies: Vec<Subject<'_>> = context.running().filter(|service| is_proxy(context, service)).collect();
    for service in context.running().filter(|service| !is_proxy(context, service)) {
        // What a database publishes is told by its own rule.
        if service.known.is_some_and(|known| known.kind.is_internal()) {
            continue;
        }
        let Some(proxy) = proxies.iter().find(|proxy| is_behind(&service, proxy)) else { continue };
        let passed_on = |port: &Port| is_open(port) && port.protocol == Protocol::Tcp && port.target != SSH;
        let open: Vec<_> = service.ports.iter().filter(|port| passed_on(&port.value)).collect();
        for port in &open {
            let number = port.value.target;
            let message = format!(
                "Port {number} of `{}` is published, past the proxy `{}`.",
                service.name.value, proxy.name.value
            );
            let finding = findings.report(service.place(&["ports"]), port.span, message);
            finding.evidence(number.to_string()).confidence(Confidence::Likely);
            if open.len() == service.ports.len() && service.settings.route.is_none() {
                let fix =
                    Fix::new(Level::BehaviourChanging, vec![service.edit(&["ports"], EditValue::Reset)]);
                finding.fix(fix.may_break("Whoever used the port has to go through the proxy."));
            }
        }
    }
}

/// Whether a service takes the world's requests and passes them on: by its image, or the one it is built from.
fn is_proxy(context: &Context<'_>, service: &Subject<'_>) -> bool {
    let base = context
        .build_of(&service.name.value)
        .and_then(|(file, build)| lookup(&file.base(*build.chain.first()?)?));
    let known = service.known.or(base);
    let sites = service
        .ports
        .iter()
        .any(|port| is_open(&port.value) && port.value.published.is_some_and(|port| SITE.contains(&port)));
    known.is_some_and(|known| known.kind == Kind::Proxy) && sites
}

/// Whether the proxy passes requests on to the service: it waits for it, or the service bears its labels.
fn is_behind(service: &Subject<'_>, proxy: &Subject<'_>) -> bool {
    let waited = proxy.depends_on.iter().any(|dependency| dependency.service.value == service.name.value);
    let is_traefik = proxy.known.is_some_and(|known| known.id == "traefik");
    let labelled = service.labels.keys().any(|label| label.starts_with("traefik."));
    waited || (is_traefik && labelled)
}
