//! Hashes of passwords, which are known by their form.

use std::ops::Range;

/// What stands between the first two dollars of a hash.
const SCHEMES: [&str; 11] =
    ["apr1", "1", "2a", "2b", "2y", "5", "6", "argon2i", "argon2d", "argon2id", "scrypt"];
/// The form that is no more than base64.
const OLD: &str = "{SHA}";
/// The fewest characters behind the scheme; with less it is a variable's place, such as `$1$2`.
const SHORTEST: usize = 16;

/// Where in a text the hash of a password stands; each `$` may be doubled, as Compose wants it.
pub(crate) fn find_hash(text: &str) -> Option<Range<usize>> {
    let end = |from: usize| {
        let ends = |c: char| {
            !(c.is_ascii_alphanumeric() || matches!(c, '$' | '.' | '/' | '+' | '=' | ',' | '-' | '_'))
        };
        text[from..].find(ends).map_or(text.len(), |end| from + end)
    };
    let long = |start: usize, from: usize| (end(from) >= from + SHORTEST).then(|| start..end(from));
    if let Some(found) = text.find(OLD).and_then(|start| long(start, start + OLD.len())) {
        return Some(found);
    }
    text.match_indices('$').find_map(|(start, _)| {
        let dollar = if text[start..].starts_with("$$") { "$$" } else { "$" };
        let rest = &text[start + dollar.len()..];
        let scheme = SCHEMES
            .iter()
            .find(|scheme| rest.strip_prefix(*scheme).is_some_and(|rest| rest.starts_with(dollar)))?;
        long(start, start + scheme.len() + 2 * dollar.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_known_by_their_form() {
        for hash in [
            "$apr1$ruca84Hq$mbjdMZBAG.KWn7vfN/SNK/",
            "$$2y$$05$$FvPAwLTWYcFpD5z1eGYt7uG0MqvQ8PS4G2cq0zUpYbYOFhTYbKqXG",
            "{SHA}nU4eI71bcnBGqeO0t9tXvY1u5oQ=",
            "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g",
        ] {
            assert_eq!(find_hash(&format!("admin:{hash}\"")), Some(6..6 + hash.len()), "{hash}");
        }
        for fine in ["https://$1$2", "$$1", "${HASH}", "/$1/$2/long/enough/to/be/one", "{SHA}short", "100$"] {
            assert_eq!(find_hash(fine), None, "{fine}");
        }
    }
}
