//! A datastore is for the services beside it, not for the internet.

use seaworthy_catalog::{Image, PortRole};
use seaworthy_project::model::port::Port;

use crate::context::is_open;
use crate::{Context, EditValue, Example, Findings, Fix, Grade, Group, Level, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "published-datastore-port",
    severity: Severity::High,
    grades: &[OPEN],
    group: Group::Network,
    summary: "datastore or admin port can be reached from outside",
    why: "A published port is open to everyone who can reach the machine, past most host firewalls. Databases and admin \
          interfaces are found by scanners within minutes; services of the project reach them without publishing.",
    fix: "Remove the port in production: `ports: !reset null`. To reach it yourself, publish it to `127.0.0.1` and use a tunnel.",
    bad: "services:\n  db:\n    image: postgres:17\n    ports: [\"5432:5432\"]\n",
    good: "services:\n  db:\n    image: postgres:17\n    ports: [\"127.0.0.1:5432:5432\"]\n",
    more: &[Example {
        of: "one that asks for no password",
        bad: "services:\n  cache:\n    image: redis:8\n    ports: [\"6379:6379\"]\n",
        good: "services:\n  cache:\n    image: redis:8\n    ports: [\"127.0.0.1:6379:6379\"]\n",
    }],
    references: &["CIS Docker 1.6, 5.9", "OWASP Docker Security Cheat Sheet, rule 5a"],
    check,
};

const OPEN: Grade = Grade::new(Severity::Critical, "where it asks whoever comes for no password");

fn check(context: &Context<'_>, findings: &mut Findings) {
    for service in context.subjects() {
        let Some(known) = service.known else { continue };
        let open = || service.ports.iter().filter(|port| is_open(&port.value));
        let inner: Vec<_> = open().filter(|port| is_inner(known, &port.value)).collect();
        let all = inner.len() == service.ports.len() && service.settings.route.is_none();
        for port in inner {
            let number = port.value.target;
            let message = format!("Port {number} of {} can be reached from outside.", known.title);
            let finding =
                findings.report(service.place(&["ports"]), port.span, message).evidence(number.to_string());
            if asks_nothing(&service, known) {
                finding.grade(OPEN);
            }
            let edit = service.edit(&["ports"], EditValue::Reset);
            if all {
                let fix = Fix::new(Level::BehaviourChanging, vec![edit]);
                finding.fix(fix.may_break("Tools outside the project that use the port lose it."));
            } else {
                finding.help("Publish the port to `127.0.0.1` only, or drop it with `ports: !override [...]` and the others.");
            }
        }
    }
}

fn is_inner(known: &Image, port: &Port) -> bool {
    match known.ports.iter().find(|candidate| candidate.port == port.target) {
        Some(candidate) if known.kind.is_internal() => candidate.role != PortRole::Public,
        Some(candidate) => matches!(candidate.role, PortRole::Admin | PortRole::Peer),
        None => known.kind.is_internal(),
    }
}

/// Caches that ask for no password unless they are told one.
fn asks_nothing(service: &Subject<'_>, known: &Image) -> bool {
    let open_cache = matches!(known.id.as_str(), "redis" | "valkey" | "memcached");
    open_cache
        && !service
            .words()
            .any(|word| word.contains("requirepass") || word.ends_with(".conf") || word == "-S")
}
