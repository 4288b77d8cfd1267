//! How one service says it reaches another: an address such as `postgres://user:password@db/shop`, or variables that belong
//! together, such as `DB_HOST` and `DB_PASSWORD`.

use seaworthy_project::Span;

use crate::{Context, Subject};

/// One service's way to another.
pub(crate) struct Connection<'project> {
    /// The service it leads to.
    pub(crate) server: Subject<'project>,
    /// The variable that names it.
    pub(crate) variable: &'project str,
    pub(crate) user: Option<Part<'project>>,
    pub(crate) password: Option<Part<'project>>,
    pub(crate) database: Option<Part<'project>>,
    pub(crate) port: Option<Part<'project>>,
}

/// One thing that a client must know. The value may be secret.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'project> {
    pub(crate) variable: &'project str,
    pub(crate) value: &'project str,
    pub(crate) span: Span,
}

/// Endings of the variables that belong to one with the host, by what they hold.
const USERS: [&str; 3] = ["USER", "USERNAME", "LOGIN"];
const PASSWORDS: [&str; 4] = ["PASSWORD", "PASS", "PASSWD", "PWD"];
const DATABASES: [&str; 5] = ["NAME", "DATABASE", "DB", "DBNAME", "DATABASE_NAME"];
const PORTS: [&str; 1] = ["PORT"];
/// Endings of the variable with the host.
const HOSTS: [&str; 4] = ["HOSTNAME", "HOST", "SERVER", "ADDRESS"];

/// The ways from a service to others of the project, in the order written.
pub(crate) fn connections<'project>(
    context: &Context<'project>,
    client: &Subject<'project>,
) -> Vec<Connection<'project>> {
    let mut found = Vec::new();
    for (name, value) in &client.service().environment {
        let Some(text) = value.value.as_ref().map(|value| value.reveal()) else { continue };
        let whole = Part { variable: name, value: text, span: value.span };
        found.extend(from_address(context, client, whole).or_else(|| from_group(context, client, whole)));
    }
    found
}

/// `scheme://user:password@host:port/database`.
fn from_address<'project>(
    context: &Context<'project>,
    client: &Subject<'project>,
    whole: Part<'project>,
) -> Option<Connection<'project>> {
    let (scheme, rest) = whole.value.split_once("://")?;
    let rest = rest.split(['?', '#']).next()?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (host, port) = host.split_once(':').unwrap_or((host, ""));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let server = service_of(context, client, host)?;
    // What is written with `%` says something else than it shows.
    let part =
        |value: &'project str| (!value.is_empty() && !value.contains('%')).then_some(Part { value, ..whole });
    let has_databases = ["postgres", "mysql", "mariadb"].iter().any(|sort| scheme.contains(sort));
    Some(Connection {
        server,
        variable: whole.variable,
        user: part(user),
        password: part(password),
        database: part(path).filter(|part| has_databases && !part.value.contains('/')),
        port: part(port),
    })
}

/// `DB_HOST`, with `DB_USER`, `DB_PASSWORD`, `DB_NAME` and `DB_PORT`.
fn from_group<'project>(
    context: &Context<'project>,
    client: &Subject<'project>,
    host: Part<'project>,
) -> Option<Connection<'project>> {
    let group = HOSTS.iter().find_map(|ending| host.variable.strip_suffix(ending))?;
    let (name, port) = host.value.split_once(':').unwrap_or((host.value, ""));
    let server = service_of(context, client, name)?;
    let of = |endings: &[&str]| {
        endings.iter().find_map(|ending| {
            let (name, value) = client
                .service()
                .environment
                .iter()
                .find(|(name, _)| name.strip_prefix(group) == Some(ending))?;
            let text = value.value.as_ref()?.reveal();
            (!text.is_empty()).then_some(Part { variable: name, value: text, span: value.span })
        })
    };
    let port = Some(Part { value: port, ..host }).filter(|part| !part.value.is_empty());
    Some(Connection {
        server,
        variable: host.variable,
        user: of(&USERS),
        password: of(&PASSWORDS),
        database: of(&DATABASES),
        port: port.or_else(|| of(&PORTS)),
    })
}

/// The other service that has that name in the network.
fn service_of<'project>(
    context: &Context<'project>,
    client: &Subject<'project>,
    host: &str,
) -> Option<Subject<'project>> {
    context.subjects().find(|other| {
        let container = other.container_name.as_ref().is_some_and(|name| name.value == host);
        let named = other.name.value.as_str() == host || container;
        named && !host.is_empty() && other.name.value != client.name.value
    })
}
