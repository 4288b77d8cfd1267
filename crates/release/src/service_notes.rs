//! What the reader of a plan should know of a service when that one changes: how its ports are carried, who calls it.

use std::collections::BTreeMap;

use seaworthy_gateway::route::Protocol;
use seaworthy_project::{Project, Service, ServiceName};

use crate::routes;

/// Ports at which programs commonly speak HTTP.
const HTTP_PORTS: [u16; 16] =
    [80, 81, 3000, 3001, 4000, 4200, 5000, 5173, 8000, 8001, 8008, 8080, 8081, 8088, 8888, 9090];
/// Words in the name of a variable whose whole value may be a host.
const HOST_WORDS: [&str; 9] =
    ["HOST", "ADDR", "SERVER", "ENDPOINT", "UPSTREAM", "BROKER", "BACKEND", "URL", "URI"];

/// What the reader of a plan should know of a service when that one changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceNotes {
    /// Sentences for whatever change.
    pub plain: Vec<String>,
    /// Services that reach it by its name, past the gateway.
    pub callers: Vec<ServiceName>,
}

impl ServiceNotes {
    /// What callers meet while new instances start beside old ones.
    pub(crate) fn of_callers(&self, service: &ServiceName) -> Option<String> {
        let callers: Vec<String> = self.callers.iter().map(|caller| format!("`{caller}`")).collect();
        let call = if callers.len() == 1 { "calls" } else { "call" };
        (!callers.is_empty()).then(|| {
            format!(
                "{} {call} `{service}` by its name: the engine's DNS may lead there to a new instance before it is ready, or to an old one as it goes; only what comes through the gateway is promised not to fail",
                callers.join(", ")
            )
        })
    }
}

/// The notes of every service that has some.
pub(crate) fn of(project: &Project) -> BTreeMap<ServiceName, ServiceNotes> {
    let of_service = |service: &Service| {
        let mut plain = of_ports(service);
        plain.extend(of_passwords(service));
        let notes = ServiceNotes { plain, callers: callers(project, service) };
        (notes != ServiceNotes::default()).then(|| (service.name.value.clone(), notes))
    };
    project.services().filter_map(of_service).collect()
}

fn of_ports(service: &Service) -> Vec<String> {
    let name = &service.name.value;
    if routes::has_machine_ports(service) && !service.ports.is_empty() {
        return vec![format!(
            "`ports` of `{name}` is left aside: with `network_mode: host` it has the machine's own"
        )];
    }
    let said = |target: u16| {
        service.ports.iter().any(|port| port.value.target == target && port.value.app_protocol.is_some())
    };
    let mut targets: Vec<u16> = routes::wishes(service)
        .iter()
        .filter(|wish| wish.route.protocol == Protocol::Tcp)
        .map(|wish| wish.port)
        .filter(|target| HTTP_PORTS.contains(target) && !said(*target))
        .collect();
    targets.dedup();
    let sentence = |target: u16| {
        format!(
            "port {target} of `{name}` is passed through as TCP: if it speaks HTTP, say `x-seaworthy: {{ route: {{ port: {target} }} }}` at the service or `app_protocol: http` at the port, and requests are balanced, repeated where they may be, and waited for one by one"
        )
    };
    targets.into_iter().map(sentence).collect()
}

/// Passwords that everybody on the way can read: where no TLS is spoken, here or by a proxy in front that is trusted.
fn of_passwords(service: &Service) -> Option<String> {
    let route = service.settings.route.as_ref().map(|route| &route.value)?;
    route.site.auth.as_ref()?;
    let behind = !route.policy.trusted_proxies.is_empty();
    let open = routes::wishes(service).into_iter().map(|wish| wish.route).find(|route| {
        let plain = route.tls.as_ref().is_none_or(|tls| !tls.redirect);
        route.protocol == Protocol::Http && plain && !behind && !route.listen.ip().is_loopback()
    })?;
    let name = &service.name.value;
    let why = match open.tls {
        Some(_) => format!("`redirect: false` lets requests without TLS in at `{}`", open.listen),
        None => format!("its route has no TLS at `{}`", open.listen),
    };
    Some(format!(
        "passwords of `{name}` can be read by everybody on the way: {why}; say `tls: acme`, or name the proxy that speaks TLS in `trusted_proxies`"
    ))
}

/// The services that depend on this one, or name it as a host in their environment.
fn callers(project: &Project, called: &Service) -> Vec<ServiceName> {
    let mut hosts = vec![called.name.value.to_string()];
    let networks = called.node.get("networks").map(|node| node.entries()).unwrap_or_default();
    for network in networks {
        let aliases = network.node.get("aliases").map(|node| node.items()).unwrap_or_default();
        hosts.extend(aliases.iter().filter_map(|alias| alias.text().map(str::to_owned)));
    }
    let calls = |caller: &&Service| {
        let depends = &caller.depends_on;
        caller.name.value != called.name.value
            && (depends.iter().any(|dependency| dependency.service.value == called.name.value)
                || hosts.iter().any(|host| names_host(caller, host)))
    };
    project.services().filter(calls).map(|caller| caller.name.value.clone()).collect()
}

fn names_host(caller: &Service, host: &str) -> bool {
    caller.environment.iter().any(|(variable, value)| {
        let Some(value) = &value.value else { return false };
        is_host_in(host, variable, value.reveal())
    })
}

/// Whether a value names a host: in a URL, in `host:port`, in `host=`, or alone where the variable's name says that it
/// holds one.
fn is_host_in(host: &str, variable: &str, value: &str) -> bool {
    let variable = variable.to_ascii_uppercase();
    if value.eq_ignore_ascii_case(host) {
        return HOST_WORDS.iter().any(|word| variable.contains(word));
    }
    let (value, host) = (value.to_ascii_lowercase(), host.to_ascii_lowercase());
    value.match_indices(&host).any(|(at, _)| {
        let (before, after) =
            (value.get(..at).unwrap_or_default(), value.get(at + host.len()..).unwrap_or_default());
        let port = after.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let ends = after.is_empty() || after.starts_with(['/', '?', '#', ',', ';', ' ', '"', '\'']);
        let in_address = before.ends_with("//") || before.ends_with('@') || before.ends_with("host=");
        let in_list = before.is_empty() || before.ends_with([',', ';', ' ', '=', '"', '\'']);
        (in_address && (port || ends)) || (in_list && port)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_without_tls_are_told() {
        let told = |route: &str| {
            let text = format!(
                "services:\n  web:\n    image: web:1\n    ports: ['80:3000', '127.0.0.1:81:3000']\n    x-seaworthy: {{ route: {{ host: a.example, port: 3000, {route} }} }}\nsecrets: {{ ours: {{ file: ./ours }} }}\n"
            );
            let project = seaworthy_project::fixture::load_yaml(&text);
            project.services().filter_map(of_passwords).collect::<Vec<_>>().join(" ")
        };
        let auth = "auth: { users: ours }";
        assert_eq!(told("sticky: true"), "");
        let note = told(auth);
        assert!(note.contains("of `web` can be read") && note.contains("no TLS at `0.0.0.0:80`"), "{note}");
        assert_eq!(told(&format!("{auth}, tls: self-signed")), "");
        assert_eq!(told(&format!("{auth}, trusted_proxies: [10.0.0.1]")), "");
        let note = told(&format!("{auth}, tls: {{ mode: self-signed, redirect: false }}"));
        assert!(note.contains("`redirect: false`"), "{note}");
    }

    #[test]
    fn a_host_is_found_where_addresses_stand() {
        for (variable, value) in [
            ("DATABASE_URL", "postgres://app:s3cret@db:5432/app"),
            ("A", "http://db"),
            ("A", "http://db/path"),
            ("A", "db:5432"),
            ("A", "cache:6379,DB:5432"),
            ("A", "amqp://x@db?heartbeat=1"),
            ("A", "dbname=app host=db user=x"),
            ("DB_HOST", "db"),
            ("PGHOSTADDR", "db"),
        ] {
            assert!(is_host_in("db", variable, value), "{variable}={value}");
        }
        for (variable, value) in [
            ("ROLE", "db"),
            ("A", "http://db.example.com"),
            ("A", "http://mydb:80"),
            ("A", "http://web/db"),
            ("A", "adb:5432"),
            ("A", "postgres://db:secret@other/app"),
            ("A", ""),
        ] {
            assert!(!is_host_in("db", variable, value), "{variable}={value}");
        }
    }
}
