//! Credentials that are written into a command line: behind a flag for one, where a client expects it, or in a header.

use std::ops::Range;

use crate::model::healthcheck::HealthTest;
use crate::model::service::Command;
use crate::{Service, is_credential_name};

/// Flags whose value is a credential and whose name does not tell it as that of a variable would, without their dashes.
const FLAGS: [&str; 2] = ["requirepass", "masterauth"];
/// Variables of clients that hold one, by another name than such variables have.
const VARIABLES: [&str; 1] = ["REDISCLI_AUTH"];
/// Words that make of a flag about a credential a switch.
const SWITCHES: [&str; 10] =
    ["no", "stdin", "prompt", "without", "allow", "enable", "disable", "skip", "show", "reset"];
/// A shorter value behind a flag is a placeholder or a switch.
const SHORTEST: usize = 3;

/// A program that is given a credential in a way of its own.
struct Client {
    names: &'static [&'static str],
    /// Flags that the credential follows as a word of its own.
    apart: &'static [&'static str],
    /// What it follows within the same word.
    joined: &'static [&'static str],
    /// Flags that `user:credential` follows.
    pair: &'static [&'static str],
}

const CLIENTS: [Client; 7] = [
    Client { names: &["redis-cli", "valkey-cli"], apart: &["-a"], joined: &[], pair: &[] },
    Client {
        names: &["mysql", "mysqladmin", "mysqldump", "mariadb", "mariadb-admin", "mariadb-dump"],
        apart: &[],
        joined: &["-p"],
        pair: &[],
    },
    Client {
        names: &["mongosh", "mongo", "mongodump", "mongorestore", "mongoexport", "mongoimport"],
        apart: &["-p"],
        joined: &[],
        pair: &[],
    },
    Client { names: &["sshpass"], apart: &["-p"], joined: &["-p"], pair: &[] },
    Client { names: &["sqlcmd"], apart: &["-P"], joined: &["-P"], pair: &[] },
    Client { names: &["openssl"], apart: &["-k"], joined: &["pass:"], pair: &[] },
    Client { names: &["curl"], apart: &[], joined: &[], pair: &["-u", "--user"] },
];

/// A piece of a word: what lies between blanks, without quotes around it.
#[derive(Debug, Clone, Copy)]
struct Piece<'words> {
    word: usize,
    start: usize,
    text: &'words str,
}

/// Where words hold credentials: the number of the word, and the bytes of it. A value that a shell fills in (`$NAME`) is
/// none, nor is a path. A word with blanks, as `sh -c` is given, is looked at piece by piece.
pub fn credentials_in_words<'words>(
    words: impl IntoIterator<Item = &'words str>,
) -> Vec<(usize, Range<usize>)> {
    let pieces: Vec<Piece<'words>> = words.into_iter().enumerate().flat_map(pieces).collect();
    found_in(&pieces)
}

/// Where command lines within a text, such as a Compose file, hold credentials, in bytes. What quotes, commas and brackets
/// of YAML part are words of their own, over lines too.
pub fn credentials_in_text(text: &str) -> Vec<Range<usize>> {
    let parts =
        text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '[' | ']' | '{' | '}'));
    let pieces: Vec<Piece<'_>> = parts
        .filter(|part| !part.is_empty() && *part != "-")
        .map(|part| Piece { word: 0, start: part.as_ptr().addr() - text.as_ptr().addr(), text: part })
        .collect();
    found_in(&pieces).into_iter().map(|(_, range)| range).collect()
}

fn found_in(pieces: &[Piece<'_>]) -> Vec<(usize, Range<usize>)> {
    let mut found = Vec::new();
    let mut client: Option<&Client> = None;
    for (at, piece) in pieces.iter().enumerate() {
        let name = piece.text.rsplit('/').next().unwrap_or(piece.text);
        if let Some(known) = CLIENTS.iter().find(|client| client.names.contains(&name)) {
            client = Some(known);
        } else if matches!(piece.text, "&&" | "||" | "|" | ";") || piece.text.ends_with([';', ':']) {
            client = None;
        }
        let before = at.checked_sub(1).and_then(|before| pieces.get(before)).map(|before| before.text);
        let start = client
            .and_then(|client| of_client(client, before, piece.text))
            .or_else(|| behind_flag(before, piece.text))
            .or_else(|| in_header(&pieces[..at], piece.text))
            .or_else(|| assigned(piece.text));
        // No two places overlap.
        match start {
            Some(start) => found.push(piece.from(start)),
            None => found.extend(in_query(piece)),
        }
    }
    found
}

/// Where the credential begins in a word that a client is given, and its word before.
fn of_client(client: &Client, before: Option<&str>, text: &str) -> Option<usize> {
    if before.is_some_and(|flag| client.apart.contains(&flag)) && is_given(text) {
        return Some(0);
    }
    if let Some(flag) = client.joined.iter().find(|flag| text.strip_prefix(**flag).is_some_and(is_given)) {
        return Some(flag.len());
    }
    let flag = client.pair.iter().find(|flag| text.starts_with(&format!("{flag}=")));
    let start = match flag {
        Some(flag) => flag.len() + 1,
        None if before.is_some_and(|flag| client.pair.contains(&flag)) => 0,
        None => return None,
    };
    let colon = start + text.get(start..)?.find(':')? + 1;
    text.get(colon..).is_some_and(is_given).then_some(colon)
}

fn behind_flag(before: Option<&str>, text: &str) -> Option<usize> {
    let name = before?.strip_prefix("--")?;
    (!name.contains('=') && is_credential_flag(name) && is_value(text)).then_some(0)
}

/// `NAME=value`, `--flag=value`, `-Dname=value`.
fn assigned(text: &str) -> Option<usize> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim_start_matches('-');
    let name = if text.starts_with("-D") { name.trim_start_matches('D') } else { name };
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if !is_name || !(is_credential_flag(name) || VARIABLES.contains(&name)) {
        return None;
    }
    let value = value.trim_start_matches(['"', '\'']);
    is_value(value).then(|| text.len() - value.len())
}

/// Values of a URL's query: `?api_key=…&token=…`.
fn in_query(piece: &Piece<'_>) -> Vec<(usize, Range<usize>)> {
    let Some(query) = piece.text.find('?').map(|at| at + 1) else { return Vec::new() };
    let mut found = Vec::new();
    let mut start = query;
    for pair in piece.text[query..].split('&') {
        if let Some((name, value)) =
            pair.split_once('=').filter(|(name, value)| is_credential_name(name) && is_value(value))
        {
            let at = piece.start + start + name.len() + 1;
            found.push((piece.word, at..at + value.len()));
        }
        start += pair.len() + 1;
    }
    found
}

/// The credentials that are written into a service's command, entry point and health check.
pub fn credentials_in_commands(service: &Service) -> Vec<&str> {
    let entrypoint = service.entrypoint.as_ref().map_or(&[][..], |command| listed(&command.value));
    let command = service.command.as_ref().map_or(&[][..], |command| listed(&command.value));
    let started: Vec<&str> = entrypoint.iter().chain(command).map(String::as_str).collect();
    let tested: Vec<&str> = match service.healthcheck.as_ref().and_then(|check| check.value.test.as_ref()) {
        Some(HealthTest::Command(words)) => words.iter().map(String::as_str).collect(),
        Some(HealthTest::Shell(text)) => vec![text.as_str()],
        Some(HealthTest::Disabled) | None => Vec::new(),
    };
    let mut found = Vec::new();
    for words in [started, tested] {
        let places = credentials_in_words(words.iter().copied());
        found.extend(places.into_iter().filter_map(|(word, range)| words.get(word)?.get(range)));
    }
    found
}

fn listed(command: &Command) -> &[String] {
    match command {
        Command::Words(words) => words,
        Command::Empty => &[],
    }
}

impl Piece<'_> {
    /// The rest of it from there on, as a place in its word, without what a shell reads as the end of it.
    fn from(&self, start: usize) -> (usize, Range<usize>) {
        let end = self.text.trim_end_matches([';', '"', '\'']).len().max(start);
        (self.word, self.start + start..self.start + end)
    }
}

fn pieces((number, word): (usize, &str)) -> impl Iterator<Item = Piece<'_>> {
    word.split_whitespace().map(move |part| {
        let text = part.trim_matches(['"', '\'']);
        let start = text.as_ptr().addr() - word.as_ptr().addr();
        Piece { word: number, start, text }
    })
}

fn is_credential_flag(name: &str) -> bool {
    let is_switch =
        || name.split(['-', '_']).any(|word| SWITCHES.iter().any(|known| word.eq_ignore_ascii_case(known)));
    FLAGS.iter().any(|flag| name.eq_ignore_ascii_case(flag)) || (is_credential_name(name) && !is_switch())
}

fn is_value(text: &str) -> bool {
    text.len() >= SHORTEST
        && !text.starts_with(['-', '$', '/', '.', '<'])
        && !["true", "false", "yes", "none"].iter().any(|switch| text.eq_ignore_ascii_case(switch))
}

fn is_given(text: &str) -> bool {
    !text.is_empty() && !text.contains('$') && !text.starts_with('-')
}

/// The credential of a header: `Authorization: Bearer …`, `X-Api-Key: …`.
fn in_header(before: &[Piece<'_>], text: &str) -> Option<usize> {
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let own = |header: &str| {
        let name = header
            .strip_suffix(':')
            .filter(|name| name.get(..2).is_some_and(|x| x.eq_ignore_ascii_case("x-")));
        name.is_some_and(is_credential_name)
    };
    let is_known = match before {
        [.., header, scheme] if header.text.eq_ignore_ascii_case("authorization:") => {
            ["bearer", "basic"].iter().any(|known| scheme.text.eq_ignore_ascii_case(known))
        }
        [.., header] => own(header.text),
        [] => false,
    };
    (begins && is_known).then_some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(words: &[&'a str]) -> Vec<&'a str> {
        let places = credentials_in_words(words.iter().copied());
        places.into_iter().map(|(word, range)| &words[word][range]).collect()
    }

    #[test]
    fn a_value_behind_a_flag_is_a_credential() {
        assert_eq!(found(&["redis-server", "--requirepass", "hunter2"]), ["hunter2"]);
        assert_eq!(found(&["serve", "--api-key=\"hunter2\"", "--port=80"]), ["hunter2"]);
        assert_eq!(found(&["sh", "-c", "exec redis-server --requirepass 'hunter2' --save ''"]), ["hunter2"]);
        assert_eq!(found(&["mysqladmin", "ping", "-phunter2"]), ["hunter2"]);
        assert_eq!(found(&["redis-cli", "-a", "hunter2", "ping"]), ["hunter2"]);
        assert_eq!(found(&["curl", "-H", "Authorization: Bearer hunter2"]), ["hunter2"]);
        assert_eq!(found(&["a", "--token", "häß-1", "b"]), ["häß-1"]);
    }

    #[test]
    fn clients_have_ways_of_their_own() {
        for words in [
            &["PGPASSWORD=hunter2", "psql"][..],
            &["sh", "-c", "export PGPASSWORD='hunter2'; psql"],
            &["psql", "host=db password=hunter2"],
            &["sh", "-c", "REDISCLI_AUTH=hunter2 redis-cli ping"],
            &["redis-cli", "--pass", "hunter2", "ping"],
            &["app", "--secret-key=hunter2"],
            &["app", "--client_secret", "hunter2", "--db-pass-file", "x.txt"],
            &["java", "-Dspring.datasource.password=hunter2"],
            &["curl", "-u", "admin:hunter2", "http://x"],
            &["curl", "--user=admin:hunter2", "http://x"],
            &["curl", "-H", "X-Api-Key: hunter2"],
            &["curl", "http://x/y?page=3&access_token=hunter2"],
            &["openssl", "enc", "-k", "hunter2"],
            &["openssl", "enc", "-passout", "pass:hunter2"],
            &["sshpass", "-p", "hunter2", "ssh", "x"],
            &["mongosh", "-u", "root", "-p", "hunter2"],
            &["/opt/mssql-tools/bin/sqlcmd", "-P", "hunter2"],
        ] {
            assert_eq!(found(words), ["hunter2"], "{words:?}");
        }
    }

    #[test]
    fn places_never_overlap() {
        for words in [
            &["--token=abcd?api_key=hunter2&token=hunter3"][..],
            &["curl", "-u", "a:b?token=hunter2"],
            &["redis-cli", "-a", "--password=x?token=hunter2", "--pass", "PGPASSWORD=hunter2"],
            &["--token", "\"';", "--token", ";;;;"],
        ] {
            let mut places = credentials_in_words(words.iter().copied());
            places.sort_by_key(|(word, range)| (*word, range.start));
            for pair in places.windows(2) {
                assert!(pair[0].0 < pair[1].0 || pair[0].1.end <= pair[1].1.start, "{words:?}: {places:?}");
            }
            assert!(
                places.iter().all(|(word, range)| words[*word].get(range.clone()).is_some()),
                "{words:?}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_places_that_can_be_cut_out(text in "([ -a-p=:?&;'\"ä,\\[{]|--token|redis-cli|curl|-u|password|authorization:|bearer|x-api-key:|mysql|-p){0,24}") {
            let mut places = credentials_in_text(&text);
            places.sort_by_key(|range| range.start);
            for pair in places.windows(2) {
                assert!(pair[0].end <= pair[1].start, "{places:?}");
            }
            assert!(places.iter().all(|range| text.get(range.clone()).is_some()), "{places:?}");
        }
    }

    #[test]
    fn a_text_is_read_over_its_lines() {
        let yaml = "test:\n  - CMD\n  - redis-cli\n  - \"-a\"\n  - \"hunter2\"\ncommand: [mysql,\"-phunter2\"]\nother: mkdir -p data";
        let shown: Vec<&str> = credentials_in_text(yaml).into_iter().map(|range| &yaml[range]).collect();
        assert_eq!(shown, ["hunter2", "hunter2"]);
    }

    #[test]
    fn what_a_shell_or_a_file_gives_is_none() {
        for words in [
            ["redis-server", "--requirepass", "$PASS"],
            ["serve", "--token", "/run/secrets/token"],
            ["serve", "--token", "--verbose"],
            ["serve", "--password-file", "hunter2"],
            ["ssh", "-phunter2", "x"],
            ["ls", "-a", "hunter2"],
            ["pg_dump", "--no-password", "hunter2"],
            ["docker login", "--password-stdin", "hunter2"],
            ["mongosh x && mkdir", "-p", "hunter2"],
            ["curl", "-u", "hunter2"],
            ["app", "--token=true", "hunter2"],
            ["curl", "-H", "Authorization: Bearer $TOKEN"],
        ] {
            assert!(found(&words).is_empty(), "{words:?}");
        }
    }
}
