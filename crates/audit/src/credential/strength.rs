//! How a credential is weak.

/// Values that everybody tries first, in lower case.
const TRIVIAL: [&str; 40] = [
    "password",
    "passwort",
    "passwd",
    "passw0rd",
    "pass",
    "pwd",
    "secret",
    "admin",
    "administrator",
    "root",
    "toor",
    "user",
    "guest",
    "test",
    "testing",
    "demo",
    "dev",
    "development",
    "local",
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "mongo",
    "mongodb",
    "redis",
    "rabbitmq",
    "minioadmin",
    "qwerty",
    "letmein",
    "welcome",
    "abc",
    "default",
    "example",
    "app",
    "db",
    "database",
    "mypassword",
    "mysecretpassword",
    "rootpassword",
];

/// Pieces that mark a value somebody still has to replace, in lower case and without separators.
const PLACEHOLDERS: [&str; 17] = [
    "changeme",
    "changethis",
    "changeit",
    "pleasechange",
    "changebefore",
    "replaceme",
    "replacethis",
    "replacewith",
    "placeholder",
    "fixme",
    "todo",
    "fillin",
    "insertyour",
    "yourpassword",
    "yoursecret",
    "yourkey",
    "notsecure",
];

/// How a credential is weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weakness {
    /// It waits to be replaced.
    Placeholder,
    /// Everybody would try it; the words say why.
    Trivial(&'static str),
}

/// How `value` is weak; `others` are names that must not be passwords: the user, the database, the service.
pub(crate) fn weakness<'name>(value: &str, mut others: impl Iterator<Item = &'name str>) -> Option<Weakness> {
    let lower = value.trim().to_ascii_lowercase();
    let joined: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    let framed =
        (lower.starts_with('<') && lower.ends_with('>')) || (lower.starts_with("your") && lower.len() < 40);
    let repeated = lower.len() > 2 && lower.chars().all(|c| matches!(c, 'x' | '*' | '.' | '?'));
    if framed || repeated || PLACEHOLDERS.iter().any(|piece| joined.contains(piece)) {
        return Some(Weakness::Placeholder);
    }
    let stem = joined.trim_end_matches(|c: char| c.is_ascii_digit());
    if TRIVIAL.contains(&stem) || TRIVIAL.contains(&joined.as_str()) {
        return Some(Weakness::Trivial("everybody tries it first"));
    }
    if others.any(|other| !other.is_empty() && other.eq_ignore_ascii_case(value.trim())) {
        return Some(Weakness::Trivial("it is the name of the user, the database or the service"));
    }
    if is_run(&lower) {
        return Some(Weakness::Trivial("it is a run of digits or one character"));
    }
    (lower.len() < 6).then_some(Weakness::Trivial("it has fewer than 6 characters"))
}

/// Whether a text is one character again and again, or digits that count.
fn is_run(text: &str) -> bool {
    let bytes = text.as_bytes();
    let step = |pair: &[u8]| i16::from(pair[1]) - i16::from(pair[0]);
    let same = bytes.windows(2).all(|pair| step(pair) == 0);
    let digits = text.chars().all(|c| c.is_ascii_digit());
    let counts = digits && bytes.windows(2).all(|pair| matches!(step(pair), 1 | -1 | -9));
    bytes.len() > 2 && (same || counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Option<Weakness> {
        weakness(value, ["shop"].into_iter())
    }

    #[test]
    fn weak_values_are_told_apart() {
        for value in ["changeme", "CHANGE_ME", "<password>", "your-secret-here", "xxxx", "replace-me-now"] {
            assert_eq!(of(value), Some(Weakness::Placeholder), "{value}");
        }
        for value in
            ["postgres", "Password1", "admin123", "123456", "9876543", "aaaaaaa", "shop", "a1b2", "secret!"]
        {
            assert!(matches!(of(value), Some(Weakness::Trivial(_))), "{value}");
        }
        for value in ["kZ8-qn2Vw1", "correct-horse-battery", "S3cr3tC4n4ry"] {
            assert_eq!(of(value), None, "{value}");
        }
    }
}
