//! `ports`: the short form `[IP:][HOST[-HOST]:]TARGET[-TARGET][/PROTOCOL]` to the long form, ranges expanded.

use std::ops::RangeInclusive;

use crate::load::canonicalize::{forms::entry, is_reset, text};
use crate::load::report::Report;
use crate::load::scalar;
use crate::{Node, Problem, ProblemKind, Scalar, ScalarStyle, Value};

/// The most ports one project may publish: every port of one host and some more.
pub(crate) const MAX_PORTS: usize = 100_000;

/// What a short form means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) host_ip: Option<String>,
    /// A number, or a range of which the engine takes one; `None` is any.
    pub(crate) published: Option<String>,
    pub(crate) target: u16,
    pub(crate) protocol: String,
}

/// Makes each item a map with `mode`, `target`, `published`, `protocol`.
pub(super) fn canonicalize(node: &mut Node, report: &mut Report) {
    let Value::Sequence(items) = &mut node.value else { return };
    let mut ports = Vec::new();
    for item in std::mem::take(items) {
        match &item.value {
            Value::Scalar(scalar) if report.templates_stay && scalar.text.contains('$') => ports.push(item),
            Value::Scalar(fraction) if is_fraction(fraction) => {
                report.problem(invalid(&item, "it is no whole number"));
            }
            Value::Scalar(_) => match parse(&number(&item)) {
                Ok(list) => {
                    report.ports += list.len();
                    if report.ports > MAX_PORTS {
                        let message =
                            format!("The project publishes more than {MAX_PORTS} ports (`MAX_PORTS`).");
                        let problem = Problem::at(ProblemKind::Limit, item.span, message);
                        report.problem(problem.hint("publish a smaller range"));
                        break;
                    }
                    ports.extend(list.into_iter().map(|port| long(port, &item)));
                }
                Err(reason) => report.problem(invalid(&item, &reason)),
            },
            Value::Mapping(_) if !is_reset(&item) => ports.push(defaults(item)),
            _ => ports.push(item),
        }
    }
    node.value = Value::Sequence(ports);
}

fn is_fraction(scalar: &Scalar) -> bool {
    scalar.style == ScalarStyle::Plain
        && scalar::integer(&scalar.text).is_none()
        && scalar::float(&scalar.text).is_some()
}

/// The text of a short form; a number may be written in any way that YAML knows.
fn number(item: &Node) -> String {
    let mut item = item.clone();
    text::normalize(&mut item);
    item.text().unwrap_or_default().to_owned()
}

fn invalid(item: &Node, reason: &str) -> Problem {
    let seen = item.quoted();
    // The reason repeats parts of the text.
    let reason = if seen.starts_with('`') { format!(": {reason}") } else { String::new() };
    Problem::at(ProblemKind::InvalidValue, item.span, format!("{seen} is not a port{reason}."))
        .hint("write `\"8080:80\"`, `\"127.0.0.1:8080:80\"`, `\"53:53/udp\"` or the long form with `target:`")
}

fn long(port: Published, item: &Node) -> Node {
    let text = |text: &str| Node { history: item.history.clone(), ..Node::string(text, item.span) };
    let mut entries = vec![entry("mode", text("ingress"))];
    entries.extend(port.host_ip.map(|ip| entry("host_ip", text(&ip))));
    entries.push(entry("target", Node::plain(port.target.to_string(), item.span)));
    entries.extend(port.published.map(|published| entry("published", text(&published))));
    entries.push(entry("protocol", text(&port.protocol)));
    Node { value: Value::Mapping(entries), ..item.clone() }
}

fn defaults(mut item: Node) -> Node {
    let span = item.span;
    item.get_mut("published").into_iter().for_each(text::normalize);
    if let Some(target) = item.get_mut("target").map(|target| &mut target.value)
        && let Value::Scalar(scalar) = target
    {
        scalar.style = ScalarStyle::Plain;
    }
    if item.get("mode").is_none() {
        item.set("mode", Node::string("ingress", span));
    }
    if item.get("protocol").is_none() {
        item.set("protocol", Node::string("tcp", span));
    }
    item
}

/// Reads a short form.
pub(crate) fn parse(text: &str) -> Result<Vec<Published>, String> {
    let (address, protocol) = match text.split_once('/') {
        Some((address, protocol)) if !protocol.is_empty() => (address, protocol.to_ascii_lowercase()),
        Some((address, _)) => (address, "tcp".to_owned()),
        None => (text, "tcp".to_owned()),
    };
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("`{protocol}` is not `tcp`, `udp` or `sctp`"));
    }
    let (host, target) = match address.rsplit_once(':') {
        Some((host, target)) => (Some(host), target),
        None => (None, address),
    };
    let (host_ip, published) = match host {
        None => (None, ""),
        Some(host) => match host.rsplit_once(':') {
            Some((ip, published)) => (Some(host_address(ip)?), published),
            None => (None, host),
        },
    };
    expand(host_ip, published, range(target)?, &protocol)
}

fn expand(
    host_ip: Option<String>,
    published: &str,
    targets: RangeInclusive<u16>,
    protocol: &str,
) -> Result<Vec<Published>, String> {
    let port = |published: Option<String>, target: u16| Published {
        host_ip: host_ip.clone(),
        published,
        target,
        protocol: protocol.to_owned(),
    };
    if published.is_empty() {
        return Ok(targets.map(|target| port(None, target)).collect());
    }
    let hosts = range_from(published, 0)?;
    if hosts.clone().count() == targets.clone().count() {
        return Ok(hosts.zip(targets).map(|(host, target)| port(Some(host.to_string()), target)).collect());
    }
    if targets.start() == targets.end() {
        return Ok(vec![port(Some(published.to_owned()), *targets.start())]);
    }
    Err("the two ranges have different lengths".to_owned())
}

fn host_address(text: &str) -> Result<String, String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    match bare.parse::<std::net::IpAddr>() {
        Ok(_) => Ok(bare.to_owned()),
        Err(_) => Err(format!("`{text}` is not an IP address")),
    }
}

fn range(text: &str) -> Result<RangeInclusive<u16>, String> {
    range_from(text, 1)
}

/// One number or `start-end`, none below `least`.
fn range_from(text: &str, least: u16) -> Result<RangeInclusive<u16>, String> {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        let value = text.parse::<u16>().ok().filter(|value| digits && *value >= least);
        value.ok_or_else(|| format!("`{text}` is not a port number from {least} to 65535"))
    };
    match text.split_once('-') {
        None => number(text).map(|port| port..=port),
        Some((start, end)) => {
            let (start, end) = (number(start)?, number(end)?);
            if start <= end { Ok(start..=end) } else { Err(format!("the range `{text}` runs backwards")) }
        }
    }
}
