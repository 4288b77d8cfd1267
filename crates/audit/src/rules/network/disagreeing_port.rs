//! Between services the port inside counts, not the one on the machine.

use crate::connection::{Connection, connections};
use crate::{Confidence, Context, Example, Findings, Group, Rule, Severity, Subject};

pub(crate) const RULE: Rule = Rule {
    id: "disagreeing-port",
    severity: Severity::Medium,
    grades: &[],
    group: Group::Network,
    summary: "service is reached on a port on which it does not listen",
    why: "`ports` maps a port of the machine to one inside. Services reach each other on the one inside: a connection to the \
          other number is refused, and it shows only when the code runs.",
    fix: "Name the port on which the service listens inside its container.",
    bad: "services:\n  web:\n    image: shop:1.4\n    environment:\n      DATABASE_URL: postgres://db:15432/shop\n  db:\n    \
          image: postgres:17\n    ports: [\"127.0.0.1:15432:5432\"]\n",
    good: "services:\n  web:\n    image: shop:1.4\n    environment:\n      DATABASE_URL: postgres://db:5432/shop\n  db:\n    \
           image: postgres:17\n    ports: [\"127.0.0.1:15432:5432\"]\n",
    more: &[Example {
        of: "a port that is published",
        bad: "services:\n  db:\n    image: postgres:17\n    ports: [\"127.0.0.1:5432:5433\"]\n",
        good: "services:\n  db:\n    image: postgres:17\n    ports: [\"127.0.0.1:5432:5432\"]\n",
    }],
    references: &["Compose Specification, ports"],
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    context.subjects().for_each(|service| published(&service, findings));
    for client in context.subjects().filter(|client| client.network_mode.is_none()) {
        for connection in connections(context, &client) {
            let Some(part) = connection.port else { continue };
            let Ok(port) = part.value.parse::<u16>() else { continue };
            let Some(why) = refused(&connection, port) else { continue };
            let (name, server) = (&client.name.value, &connection.server.name.value);
            let message = format!("`{name}` reaches `{server}` on port {port}, {why}.");
            let finding =
                findings.report(client.place(&["environment", connection.variable]), part.span, message);
            finding.evidence(port.to_string()).confidence(Confidence::Likely);
        }
    }
}

/// A port of the machine that leads to one on which a well-known image does not listen.
fn published(service: &Subject<'_>, findings: &mut Findings) {
    for port in service.ports.iter().filter(|port| port.value.published.is_some()) {
        let target = port.value.target;
        if let Some(listens) = not_of_image(service, target) {
            let message = format!("`{}` publishes port {target}, {listens}.", service.name.value);
            let finding = findings.report(service.place(&["ports"]), port.span, message);
            finding.evidence(target.to_string()).confidence(Confidence::Likely);
        }
    }
}

/// Why nobody answers on that port, when it can be told.
fn refused(connection: &Connection<'_>, port: u16) -> Option<String> {
    let server = &connection.server;
    let inside = server.ports.iter().any(|one| one.value.target == port);
    if inside || is_told(server, port) {
        return None;
    }
    if let Some(outer) = server.ports.iter().find(|one| one.value.published == Some(port)) {
        return Some(format!("which is that of the machine; inside it is {}", outer.value.target));
    }
    not_of_image(server, port)
}

/// Whether the service's own settings name the port.
fn is_told(service: &Subject<'_>, port: u16) -> bool {
    let number = port.to_string();
    let mut values = service.service().environment.values().filter_map(|value| value.value.as_ref());
    service.network_mode.is_some()
        || service.words().any(|word| word.contains(&number))
        || values.any(|value| value.reveal().contains(&number))
}

/// Whether a word of a command may say, itself or by a file or a script, on which port a program listens.
fn may_say_port(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let pieces = [
        "port", "listen", "bind", "addr", "host", "url", "conf", ".y", ".toml", ".ini", ".json", ".sh", "$",
        " ",
    ];
    matches!(lower.as_str(), "sh" | "bash" | "-c" | "-p") || pieces.iter().any(|piece| lower.contains(piece))
}

/// The ports on which the image listens, when that is none of them and nothing says otherwise.
fn not_of_image(service: &Subject<'_>, port: u16) -> Option<String> {
    let known = service.known.filter(|known| !known.ports.is_empty())?;
    // What a configuration file says is not known here, nor what a command makes of it.
    let configured = service.mounts.iter().any(|mount| mount.value.target.contains("/etc/"))
        || !service.configs.is_empty()
        || service.entrypoint.is_some()
        || service.words().any(may_say_port);
    let listens = known.ports.iter().any(|one| one.port == port);
    (!listens && !configured && !is_told(service, port)).then(|| {
        let ports: Vec<String> = known.ports.iter().map(|one| one.port.to_string()).collect();
        format!("and {} listens on {}", known.title, ports.join(", "))
    })
}
