//! Credentials that are written into a command line: behind a flag for one, where a client expects it, or in a header.

use std::ops::Range;

use crate::Service;
use crate::model::healthcheck::HealthTest;
use crate::model::service::Command;

/// Flags whose value is a credential, without their dashes.
const FLAGS: [&str; 8] =
    ["password", "requirepass", "passwd", "token", "secret", "api-key", "apikey", "masterauth"];
/// Programs that take a password right behind `-p`.
const JOINED: [&str; 6] = ["mysql", "mysqladmin", "mysqldump", "mariadb", "mariadb-admin", "mariadb-dump"];
/// Programs that take a password after `-a`.
const BEHIND: [&str; 2] = ["redis-cli", "valkey-cli"];
/// A shorter value behind a flag is a placeholder or a switch.
const SHORTEST: usize = 3;

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
    let runs = |names: &[&str]| {
        pieces.iter().any(|piece| names.contains(&piece.text.rsplit('/').next().unwrap_or(piece.text)))
    };
    let (joined, behind) = (runs(&JOINED), runs(&BEHIND));
    let mut found = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| pieces.get(before)).map(|before| before.text);
        if before.is_some_and(is_flag) && is_value(piece.text) {
            found.push(piece.from(0));
        } else if let Some((_, value)) = piece.text.split_once('=').filter(|(flag, _)| is_flag(flag)) {
            let value = value.trim_start_matches(['"', '\'']);
            if is_value(value) {
                found.push(piece.from(piece.text.len() - value.len()));
            }
        } else if joined && piece.text.strip_prefix("-p").is_some_and(is_given) {
            found.push(piece.from(2));
        } else if behind && before == Some("-a") && is_given(piece.text) {
            found.push(piece.from(0));
        } else if in_header(&pieces[..at]) && piece.text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            found.push(piece.from(0));
        }
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
    /// The rest of it from there on, as a place in its word.
    fn from(&self, start: usize) -> (usize, Range<usize>) {
        (self.word, self.start + start..self.start + self.text.len())
    }
}

fn pieces((number, word): (usize, &str)) -> impl Iterator<Item = Piece<'_>> {
    word.split_whitespace().map(move |part| {
        let text = part.trim_matches(['"', '\'']);
        let start = text.as_ptr().addr() - word.as_ptr().addr();
        Piece { word: number, start, text }
    })
}

fn is_flag(text: &str) -> bool {
    let name = text.trim_start_matches('-');
    text.starts_with("--") && FLAGS.iter().any(|flag| name.eq_ignore_ascii_case(flag))
}

fn is_value(text: &str) -> bool {
    text.len() >= SHORTEST && !text.starts_with(['-', '$', '/', '.'])
}

fn is_given(text: &str) -> bool {
    !text.is_empty() && !text.contains('$') && !text.starts_with('-')
}

/// Whether what comes next is the credential of a header: `Authorization: Bearer …`.
fn in_header(before: &[Piece<'_>]) -> bool {
    let [.., header, scheme] = before else { return false };
    header.text.eq_ignore_ascii_case("authorization:")
        && ["bearer", "basic"].iter().any(|known| scheme.text.eq_ignore_ascii_case(known))
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
    fn what_a_shell_or_a_file_gives_is_none() {
        for words in [
            ["redis-server", "--requirepass", "$PASS"],
            ["serve", "--token", "/run/secrets/token"],
            ["serve", "--token", "--verbose"],
            ["serve", "--password-file", "hunter2"],
            ["ssh", "-phunter2", "x"],
            ["ls", "-a", "hunter2"],
            ["curl", "-H", "Authorization: Bearer $TOKEN"],
        ] {
            assert!(found(&words).is_empty(), "{words:?}");
        }
    }
}
