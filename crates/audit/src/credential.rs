//! Tells which variables hold credentials, where those come from, and how they are weak.

mod hash;
mod strength;
mod token;
mod verdict;

use seaworthy_project::{Span, is_credential_name};

use crate::{Context, Subject};

pub(crate) use hash::find_hash;
pub(crate) use strength::{Weakness, weakness};
pub(crate) use token::{find_token, token_name};
pub(crate) use verdict::{Verdict, verdicts};

/// A variable of a service that holds a credential.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Credential<'project> {
    /// The variable.
    pub(crate) name: &'project str,
    /// Its value. Never shown.
    pub(crate) value: &'project str,
    /// Where the value was written.
    pub(crate) span: Span,
    /// Where it comes from.
    pub(crate) origin: Origin<'project>,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin<'project> {
    /// It stands in a Compose file.
    Literal,
    /// It is the default of a `${NAME:-default}` in a Compose file; this is the text as written.
    Default(&'project str),
    /// A variable gives it, or an environment file.
    Outside,
}

/// The variables of a service that hold credentials, in the order written.
pub(crate) fn credentials<'project>(
    context: &Context<'project>,
    subject: &Subject<'project>,
) -> Vec<Credential<'project>> {
    let known = subject.known.map_or(&[][..], |image| image.credentials.as_slice());
    let variables = subject.service().environment.iter().filter_map(|(name, value)| {
        let span = value.span;
        let value = value.value.as_ref()?.reveal();
        let origin = origin(context, name, &span);
        let named = is_credential_name(name) || known.iter().any(|credential| credential.variable == *name);
        let defaults = matches!(origin, Origin::Default(raw) if hidden_default(raw).is_some());
        let holds = (named && looks_like_credential(value)) || find_token(value).is_some() || defaults;
        holds.then_some(Credential { name, value, span, origin })
    });
    variables.collect()
}

/// Whether a value under a credential's name can be one: not empty, a switch, a path or an address.
pub(crate) fn looks_like_credential(value: &str) -> bool {
    let value = value.trim();
    let switch = matches!(
        value.to_ascii_lowercase().as_str(),
        "true"
            | "false"
            | "yes"
            | "no"
            | "on"
            | "off"
            | "none"
            | "null"
            | "enabled"
            | "disabled"
            | "optional"
            | "required"
            | "always"
            | "never"
    );
    let small_number = value.len() < 4 && value.chars().all(|c| c.is_ascii_digit());
    let path = value.starts_with('/') || value.starts_with("./") || value.starts_with("../");
    let address = value.contains("://") && password_in_url(value).is_none();
    let public = value.contains("BEGIN PUBLIC KEY")
        || value.contains("BEGIN CERTIFICATE")
        || ["pk_live_", "pk_test_", "ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-"]
            .iter()
            .any(|begin| value.starts_with(begin));
    let elsewhere = ["arn:aws:", "vault:", "op://"].iter().any(|begin| value.starts_with(begin));
    let nothing = value.is_empty() || switch || small_number || is_span_of_time(value);
    !(nothing || path || address || public || elsewhere)
}

/// Whether a value is a number with a unit of time: `15m`, `3600s`.
fn is_span_of_time(value: &str) -> bool {
    let unit = value.trim_start_matches(|c: char| c.is_ascii_digit());
    unit.len() < value.len() && matches!(unit, "ms" | "s" | "m" | "h" | "d" | "w" | "min")
}

fn origin<'project>(context: &Context<'project>, name: &str, span: &Span) -> Origin<'project> {
    if context.is_environment_file(span) {
        return Origin::Outside;
    }
    let Some(raw) = context.raw(span).map(|raw| written_value(raw, name)) else { return Origin::Outside };
    if raw.is_empty() || raw == name {
        return Origin::Outside;
    }
    match references(raw).next() {
        None => Origin::Literal,
        Some(_) if hidden_default(raw).is_some() => Origin::Default(raw),
        Some(_) => Origin::Outside,
    }
}

/// The value as written: without quotes, and without `NAME=` where the variables are a list.
pub(crate) fn written_value<'text>(raw: &'text str, name: &str) -> &'text str {
    let unquoted = raw.trim().trim_matches(['"', '\'']);
    unquoted.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')).unwrap_or(unquoted)
}

/// The first `${NAME:-default}` whose name is a credential's and whose default is written out: name and default.
pub(crate) fn hidden_default(raw: &str) -> Option<(&str, &str)> {
    references(raw).find_map(|reference| {
        let name_end = reference.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
        let (name, operator) = reference.split_at(name_end);
        let default = operator.strip_prefix(":-").or_else(|| operator.strip_prefix('-'))?;
        let written = is_credential_name(name) && looks_like_credential(default) && !default.starts_with('$');
        written.then_some((name, default))
    })
}

/// What stands inside each `${…}`, and the name of each `$NAME`; `$$` is a dollar.
pub(crate) fn references(raw: &str) -> impl Iterator<Item = &str> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let dollar = at + raw[at..].find('$')?;
            let rest = &raw[dollar + 1..];
            if rest.starts_with('$') {
                at = dollar + 2;
            } else if let Some(inner) = rest.strip_prefix('{') {
                let end = closing_brace(inner);
                at = dollar + 2 + end;
                return Some(&inner[..end]);
            } else {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                at = dollar + 1 + end;
                if end > 0 {
                    return Some(&rest[..end]);
                }
            }
        }
    })
}

fn closing_brace(inner: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    inner.len()
}

/// The password in `scheme://user:password@host`, when one is written out.
pub(crate) fn password_in_url(text: &str) -> Option<&str> {
    let scheme = text.find("://")?;
    let rest = &text[scheme + 3..];
    let end = rest.find(|c: char| c.is_whitespace() || c == '"' || c == '\'').unwrap_or(rest.len());
    let at = rest[..end].rfind('@')?;
    let (_, password) = rest[..at].split_once(':')?;
    let written = !password.is_empty() && !password.contains("${") && !password.starts_with('$');
    let masked = password.chars().all(|c| matches!(c, '*' | 'x' | 'X' | '.'));
    (written && !masked).then_some(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found() {
        let found = |raw| references(raw).collect::<Vec<_>>();
        assert_eq!(found("a$B-${C:-${D}}$$E"), ["B", "C:-${D}"]);
        assert_eq!(found("$ ${ "), [" "]);
        assert_eq!(found("100$"), Vec::<&str>::new());
    }

    #[test]
    fn defaults_that_hold_credentials_are_found() {
        assert_eq!(hidden_default("${DB_PASSWORD:-hunter2}"), Some(("DB_PASSWORD", "hunter2")));
        assert_eq!(hidden_default("postgres://a:${DB_PASSWORD-x1y2}@db"), Some(("DB_PASSWORD", "x1y2")));
        for fine in [
            "${DB_PASSWORD:?set it}",
            "${DB_PASSWORD}",
            "${DB_PASSWORD:-}",
            "${DB_HOST:-db}",
            "${DB_PASSWORD:-${P}}",
        ] {
            assert_eq!(hidden_default(fine), None, "{fine}");
        }
    }

    #[test]
    fn passwords_in_addresses_are_found() {
        assert_eq!(password_in_url("postgres://u:p@ss@db/x"), Some("p@ss"));
        for fine in [
            "postgres://db/x",
            "redis://:@cache",
            "https://u@h",
            "amqp://u:${P}@q",
            "mailto:a:b@c",
            "sql://u:***@h",
        ] {
            assert_eq!(password_in_url(fine), None, "{fine}");
        }
    }

    #[test]
    fn what_is_no_credential_is_left_alone() {
        for value in
            ["", "true", "30", "/run/secrets/x", "https://auth.example/token", "-----BEGIN PUBLIC KEY-----"]
        {
            assert!(!looks_like_credential(value), "{value}");
        }
        assert!(looks_like_credential("123456"));
    }
}
