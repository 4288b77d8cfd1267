//! Masks credentials in the text of a file, so that a source line can be shown.
//!
//! Every masked character is replaced in place, so places keep their meaning. It works on text alone, because it must
//! also serve files that cannot be loaded, and it rather masks too much than too little.

use std::ops::Range;
use std::path::Path;

use seaworthy_project::{credentials_in_text, is_credential_name};

use crate::credential::{find_hash, find_token};

/// Stars shown for a masked value; what is left of it is blank, so that its length stays unknown.
const STARS: usize = 3;

/// The value of a credential that goes on over several lines.
struct Inside {
    /// The column of its key; what stands deeper belongs to it.
    column: usize,
    /// Whether it has begun as text on the line of its key; else it may be a map, whose keys may be shown.
    is_text: bool,
}

/// Whether a file holds variables, by its name: `.env`, `.env.production`, `web.env`.
pub fn is_environment_file(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with(".env") || name.ends_with(".env") || name.contains(".env.")
}

/// Whether a file is a Dockerfile, by its name: `Dockerfile`, `Dockerfile.web`, `web.dockerfile`, `Containerfile`.
fn is_dockerfile(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_lowercase();
    ["dockerfile", "containerfile"].iter().any(|known| name.starts_with(known) || name.ends_with(known))
}

/// The value of `ENV NAME value`, `LABEL NAME value`, `-u user:value`, `echo user:value`, where it may be a credential's.
fn old_form(line: &str) -> Option<Range<usize>> {
    let bare = line.trim_start();
    let start = line.len() - bare.len();
    let (instruction, rest) = bare.split_once(char::is_whitespace)?;
    let rest_start = start + instruction.len() + 1;
    if ["env", "label", "arg"].iter().any(|known| instruction.eq_ignore_ascii_case(known)) {
        let trimmed = rest.trim_start();
        let name_start = rest_start + rest.len() - trimmed.len();
        let (name, value) = trimmed.split_once(char::is_whitespace)?;
        let holds = !name.contains('=') && is_credential_name(name) && !is_reference(value.trim());
        return holds.then(|| name_start + name.len() + 1..line.len());
    }
    if line.contains("passwd") || line.contains("password") || line.contains(":_authToken") {
        return Some(rest_start..line.len());
    }
    let basic = [" -u ", " --user "].iter().find_map(|flag| line.find(flag).map(|at| at + flag.len()));
    let value = basic.and_then(|at| Some(at + line[at..].find(':')? + 1));
    value.map(|at| at..line[at..].find(' ').map_or(line.len(), |end| at + end))
}

/// The text of a file with every credential masked; bytes and lines stay where they are.
pub fn redact(path: &Path, text: &str) -> String {
    let environment_file = is_environment_file(path);
    let is_dockerfile = is_dockerfile(path);
    let mut masked = text.as_bytes().to_vec();
    let mut start = 0;
    let mut inside: Option<Inside> = None;
    if !environment_file {
        credentials_in_text(text).into_iter().for_each(|range| mask(&mut masked[range]));
    }
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        let indent = bare.len() - bare.trim_start().len();
        inside = inside.filter(|inside| bare.is_empty() || indent > inside.column);
        let mut ranges = Vec::new();
        if inside.as_ref().is_some_and(|inside| inside.is_text || !is_key(bare)) {
            ranges.push(indent..bare.len());
        } else if environment_file {
            ranges.push(bare.find('=').map_or(0, |equals| equals + 1)..bare.len());
        } else {
            if is_dockerfile {
                ranges.extend(old_form(bare));
            }
            ranges.extend(credential_ranges(bare));
            inside = inside.or_else(|| opens_value(bare, indent));
        }
        for range in disjoint(ranges) {
            mask(&mut masked[start + range.start..start + range.end]);
        }
        start += line.len();
    }
    String::from_utf8(masked).expect("whole ranges of characters were replaced with ASCII")
}

/// Ranges that overlap, made one.
fn disjoint(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut().filter(|last| range.start < last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => joined.push(range),
        }
    }
    joined
}

fn mask(bytes: &mut [u8]) {
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = if index < STARS { b'*' } else { b' ' };
    }
}

fn is_key(line: &str) -> bool {
    line.split_once(':').is_some_and(|(key, rest)| {
        (rest.is_empty() || rest.starts_with(' '))
            && key.trim().chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
    })
}

/// The value that deeper lines after this one belong to, when it is a credential's.
fn opens_value(line: &str, indent: usize) -> Option<Inside> {
    let (key, rest) = line.split_once(':')?;
    let key = key.trim_start_matches(['-', ' ']).trim_matches(['"', '\'', ' ']);
    let is_text = !rest.trim().is_empty();
    (is_credential_key(key) || key == "content").then_some(Inside { column: indent, is_text })
}

/// A key of a Compose file that names a credential, and not the section `secrets`.
fn is_credential_key(key: &str) -> bool {
    !matches!(key, "secrets" | "secret") && is_credential_name(key)
}

/// What to mask in one line.
fn credential_ranges(line: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    named_values(line, &mut ranges);
    arguments(line, &mut ranges);
    hidden_defaults(line, &mut ranges);
    let mut at = 0;
    while let Some(scheme) = line[at..].find("://") {
        let start = at + scheme + 3;
        let end =
            line[start..].find(|c: char| c.is_whitespace() || c == '"').map_or(line.len(), |end| start + end);
        let host = line[start..end].rfind('@').map(|host| start + host);
        let password = host.and_then(|host| Some(start + line[start..host].find(':')? + 1..host));
        ranges.extend(password);
        at = start;
    }
    at = 0;
    while let Some((range, _)) = find_token(&line[at..]) {
        ranges.push(at + range.start..at + range.end);
        at += range.end;
    }
    at = 0;
    while let Some(range) = find_hash(&line[at..]) {
        ranges.push(at + range.start..at + range.end);
        at += range.end;
    }
    ranges.extend(header_value(line));
    if let Some(range) = content_value(line) {
        ranges.push(range);
    }
    ranges
}

/// What stands behind `Authorization:`, up to the quote that ends it.
fn header_value(line: &str) -> Option<Range<usize>> {
    const HEADER: &str = "authorization:";
    let at = line.to_ascii_lowercase().find(HEADER)? + HEADER.len();
    let end = line[at..].find(['"', '\'']).map_or(line.len(), |end| at + end);
    Some(at..end)
}

fn content_value(line: &str) -> Option<Range<usize>> {
    let at = line
        .find("content:")
        .filter(|at| line[..*at].trim_end().is_empty() || line[..*at].ends_with(['{', ' ', ',']))?;
    let value = line[at + "content:".len()..].trim_start();
    (!value.is_empty() && !value.starts_with(['|', '>'])).then(|| line.len() - value.len()..line.len())
}

/// Values of `NAME: value` and `NAME=value` where the name is a credential's.
fn named_values(line: &str, ranges: &mut Vec<Range<usize>>) {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut at = 0;
    while let Some(offset) = line[at..].find([':', '=']) {
        let separator = at + offset;
        at = separator + 1;
        let before = line[..separator].trim_end_matches(['"', '\'', ' ']);
        let name_start = before
            .rfind(|c| !word(c))
            .map_or(0, |end| end + before[end..].chars().next().map_or(1, char::len_utf8));
        let in_braces = before[..name_start].ends_with("${");
        if in_braces || !is_credential_key(&before[name_start..]) {
            continue;
        }
        let rest = &line[at..];
        let value = rest.trim_start();
        let start = line.len() - value.len();
        if !value.is_empty() && !is_reference(value) && !value.starts_with(['|', '>', '#']) {
            ranges.push(start..value_end(line, start));
            return;
        }
    }
}

/// Where a value ends: at its closing quote, else with the line.
fn value_end(line: &str, start: usize) -> usize {
    let value = &line[start..];
    match value.chars().next().filter(|quote| matches!(quote, '"' | '\'')) {
        Some(quote) => value[1..].rfind(quote).map_or(line.len(), |end| start + 1 + end + 1),
        None => line.len(),
    }
}

/// Whether a value is only a variable, without a default: that may be shown.
fn is_reference(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'', ' ', ',', '}', ']', '-']);
    let Some(name) = value.strip_prefix('$') else { return false };
    let name = name.strip_prefix('{').unwrap_or(name);
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(name.len());
    end > 0 && (name[end..].is_empty() || name[end..].starts_with(":?") || name[end..].starts_with('?'))
}

/// Values of `--password x`, `--requirepass=x` and `"--token", "x"`.
fn arguments(line: &str, ranges: &mut Vec<Range<usize>>) {
    for (start, _) in line.match_indices("--") {
        let name = &line[start + 2..];
        let end =
            name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).unwrap_or(name.len());
        let (name, rest) = name.split_at(end);
        let lower = name.to_ascii_lowercase();
        let credential =
            ["pass", "token", "secret", "apikey", "api-key"].iter().any(|piece| lower.contains(piece));
        if !credential || lower.ends_with("file") {
            continue;
        }
        let value = rest.trim_start_matches(['=', ' ', '"', '\'', ',']);
        if value.len() == rest.len() || is_reference(value) {
            continue;
        }
        let value_start = line.len() - value.len();
        let value_end = value.find([' ', '"', '\'', ',', ']']).map_or(line.len(), |end| value_start + end);
        ranges.push(value_start..value_end);
    }
}

/// Defaults of `${NAME:-default}` where the name is a credential's.
fn hidden_defaults(line: &str, ranges: &mut Vec<Range<usize>>) {
    for (start, _) in line.match_indices("${") {
        let inner = start + 2;
        let name = &line[inner..];
        let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(name.len());
        let operator = &name[end..];
        let skip = if operator.starts_with(":-") { 2 } else { 1 };
        if is_credential_name(&name[..end]) && (skip == 2 || operator.starts_with('-')) {
            let default = inner + end + skip;
            let close = line[default..].rfind('}').map_or(line.len(), |close| default + close);
            ranges.push(default..close);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let masked = redact(Path::new("compose.yaml"), line);
        assert_eq!(masked.len(), line.len());
        let shown: Vec<&str> = masked.split_whitespace().collect();
        let expected: Vec<&str> = expected.split_whitespace().collect();
        assert_eq!(shown, expected, "{line}");
    }

    #[test]
    fn credentials_are_masked_wherever_they_stand() {
        check("  POSTGRES_PASSWORD: hunter2 # x", "POSTGRES_PASSWORD: ***");
        check("  - \"POSTGRES_PASSWORD=hunter2\"", "- \"POSTGRES_PASSWORD=***");
        check("  DB_PASSWORD: 'hun''ter2' # why", "DB_PASSWORD: *** # why");
        check("  env: {API_KEY: abcdef, A: b}", "env: {API_KEY: ***");
        check("  URL: postgres://u:p@ss@db/x", "URL: postgres://u:*** @db/x");
        check(
            "  command: redis-server --requirepass hunter2 --save 60",
            "command: redis-server --requirepass *** --save 60",
        );
        check("  command: [\"--requirepass\", \"hunter2\"]", "command: [\"--requirepass\", \"*** \"]");
        check("  DSN: \"x ${DB_PASSWORD:-hunter2}\"", "DSN: \"x ${DB_PASSWORD:-*** }\"");
        check("  key: ghp_abcdefghijklmnopqrstuvwxyz0123456789", "key: ***");
        check("  content: hunter2", "content: ***");
        check("  db: { content: hunter2 }", "db: { content: ***");
        check("  JWT_SECRET: größe", "JWT_SECRET: ***");
        check(
            "  - traefik.http.middlewares.a.basicauth.users=admin:$$apr1$$ruca84Hq$$mbjdMZBAG.KWn7vfN/SNK/",
            "- traefik.http.middlewares.a.basicauth.users=admin:***",
        );
        check(
            "  test: curl -H \"Authorization: Bearer hunter2\" x",
            "test: curl -H \"Authorization:*** \" x",
        );
    }

    #[test]
    fn command_lines_are_masked_whatever_form_they_have() {
        check("  test: redis-cli -a hunter2 ping", "test: redis-cli -a *** ping");
        check(
            "  test: [CMD, mysqladmin, ping, -uroot, -phunter2]",
            "test: [CMD, mysqladmin, ping, -uroot, -p*** ]",
        );
        check("  - redis-cli\n  - -a\n  - hunter2\n", "- redis-cli - -a - ***");
        check("  test: curl -u admin:hunter2 http://x", "test: curl -u admin:*** http://x");
    }

    #[test]
    fn values_over_several_lines_are_masked() {
        check("  TLS_PRIVATE_KEY: |\n    abc\n\n    def: x y\n  A: b", "TLS_PRIVATE_KEY: | *** *** A: b");
        check("  DB_PASSWORD:\n    hunter2\n  A: b", "DB_PASSWORD: *** A: b");
        check("  content: >\n    hunter2\nweb: 1", "content: > *** web: 1");
    }

    #[test]
    fn what_is_no_credential_stays() {
        for line in [
            "  POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}",
            "  - DB_PASSWORD=${DB_PASSWORD}",
            "  secrets: [db_password]",
            "  DB_PASSWORD_FILE: /run/secrets/x",
            "  image: ghcr.io/a/b:1",
            "  command: app --password-file /x",
            "  db_password:\n    file: ./db_password.txt",
        ] {
            check(line, line);
        }
    }

    #[test]
    fn dockerfiles_have_forms_of_their_own() {
        let masked = |line| {
            redact(Path::new("web/Dockerfile.prod"), line).split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(masked("ENV DB_PASSWORD hunter2"), "ENV DB_PASSWORD ***");
        assert_eq!(masked("ENV A=1 DB_PASSWORD=hunter2"), "ENV A=1 DB_PASSWORD=***");
        assert_eq!(masked("RUN echo root:hunter2 | chpasswd"), "RUN ***");
        assert_eq!(masked("RUN curl -u bot:hunter2 https://x"), "RUN curl -u bot:*** https://x");
        assert_eq!(masked("RUN git clone https://bot:hunter2@x/y"), "RUN git clone https://bot:*** @x/y");
        assert_eq!(masked("ENV DB_HOST db"), "ENV DB_HOST db");
    }

    #[test]
    fn environment_files_show_names_only() {
        assert_eq!(
            redact(Path::new(".env.production"), "A=secret\nodd\n"),
            "A=***   \n*** \n".replace("*** \n", "***\n")
        );
    }
}
