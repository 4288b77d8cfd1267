//! Tells which commands of a build fetch something, and from where.

use crate::dockerfile::Word;
use crate::shell::Command;

/// Whether a command fetches what it is given the address of.
pub(crate) fn is_download(command: &Command) -> bool {
    matches!(command.program(), "curl" | "wget" | "aria2c" | "axel")
}

/// The address in a command's words; one of this machine does not count.
pub(crate) fn address(command: &Command) -> Option<&Word> {
    command.arguments().iter().find(|word| {
        let text = word.text.as_str();
        let host = host(text);
        let local = ["localhost", "127.0.0.1", "0.0.0.0", "[::1]"].iter().any(|name| host.starts_with(name));
        (text.starts_with("http://") || text.starts_with("https://") || text.starts_with("ftp://")) && !local
    })
}

/// Host and port of an address, without a user's name and password.
pub(crate) fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest[..end].rsplit('@').next().unwrap_or_default()
}

/// Address without what may be secret: its user, password and query.
pub(crate) fn shown(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    format!("{}{path}", host(address))
}
