//! Values that stand for secrets while a service is tried: of the same shape, equal where the real ones are equal.

use std::collections::BTreeMap;

use seaworthy_engine::seal::SealKey;
use seaworthy_project::model::resource::{FileResource, FileResourceSource};
use seaworthy_project::{Files, Project, Sensitive, is_credential_name};
use serde_json::Value;

/// Shorter values, and plain words, are replaced where they stand as a password only: elsewhere `postgres` may be a user,
/// a program or a scheme.
const SHORTEST: usize = 8;
/// The largest secret file that is looked at.
const LARGEST: u64 = 1 << 20;
/// What stands for a secret that cannot be read.
const UNREAD: &str = "0123456789abcdef0123456789abcdef";

/// Which throw-away value stands for which real one.
pub(super) struct ThrowAway<'a> {
    key: &'a SealKey,
    /// Longest first, so that a value within another does not take its place.
    pairs: Vec<(Sensitive, Sensitive)>,
}

impl<'a> ThrowAway<'a> {
    /// For all that is secret in a project: variables by name, passwords in connection strings, files.
    pub(super) fn of(project: &Project, files: &dyn Files, key: &'a SealKey) -> Self {
        let mut values: BTreeMap<String, ()> = BTreeMap::new();
        for service in project.services() {
            for (name, value) in &service.environment {
                let Some(value) = &value.value else { continue };
                let value = value.reveal();
                if is_credential_name(name) && holds_secret(value) {
                    values.insert(value.to_owned(), ());
                }
                values.extend(password_in_url(value).map(|password| (password.to_owned(), ())));
            }
        }
        for secret in project.secrets.values() {
            values.extend(contents(secret, files).map(|text| (text.trim().to_owned(), ())));
        }
        let mut throwaway = Self { key, pairs: Vec::new() };
        let mut pairs: Vec<(Sensitive, Sensitive)> = values
            .into_keys()
            .filter(|value| !value.is_empty())
            .map(|value| (Sensitive::new(throwaway.shaped(&value)), Sensitive::new(value)))
            .map(|(stands, real)| (real, stands))
            .collect();
        pairs.sort_by_key(|(real, _)| std::cmp::Reverse(real.reveal().len()));
        throwaway.pairs = pairs;
        throwaway
    }

    /// What a service finds in the file of a secret.
    pub(super) fn secret(&self, resource: &FileResource, files: &dyn Files) -> Sensitive {
        let text = contents(resource, files).unwrap_or_else(|| UNREAD.to_owned());
        Sensitive::new(self.shaped(text.trim()))
    }

    /// The value of a variable, with throw-away values in place of real ones.
    pub(super) fn in_variable(&self, name: &str, text: &str) -> String {
        match self.standing_for(text).filter(|_| is_credential_name(name)) {
            Some(stands) => stands.to_owned(),
            None => self.in_text(text),
        }
    }

    /// A text with throw-away values in place of real ones.
    pub(super) fn in_text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (real, stands) in &self.pairs {
            let (real, stands) = (real.reveal(), stands.reveal());
            if is_distinct(real) {
                text = text.replace(real, stands);
            } else if let Some(password) = password_in_url(&text)
                && password == real
            {
                text = text.replacen(&format!(":{real}@"), &format!(":{stands}@"), 1);
            }
        }
        text
    }

    /// All texts below a value, keys left alone.
    pub(super) fn in_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.in_text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.in_value(item)),
            Value::Object(keys) => keys.values_mut().for_each(|value| self.in_value(value)),
            _ => {}
        }
    }

    fn standing_for(&self, text: &str) -> Option<&str> {
        self.pairs.iter().find(|(real, _)| real.reveal() == text).map(|(_, stands)| stands.reveal())
    }

    /// A value of the same length, with letters for letters and digits for digits.
    fn shaped(&self, value: &str) -> String {
        let mut stream = Vec::new();
        let mut round = 0u32;
        let needed = value.chars().count();
        while stream.len() < needed {
            stream.extend(self.key.fingerprint(format!("{round} {value}").as_bytes()).into_bytes());
            round += 1;
        }
        let stands = value.chars().zip(stream).map(|(c, noise)| {
            let noise = char::from(noise).to_digit(36).unwrap_or_default();
            let of = |first: char, count: u32| {
                char::from_u32(u32::from(first) + (noise * 7 + u32::from(c)) % count).unwrap_or(c)
            };
            match c {
                '0'..='9' => of('0', 10),
                'a'..='f' => of('a', 6),
                'g'..='z' => of('a', 26),
                'A'..='F' => of('A', 6),
                'G'..='Z' => of('A', 26),
                other => other,
            }
        });
        stands.collect()
    }
}

/// Whether a value under a credential's name can be one: not a switch, a path or an address without a password.
fn holds_secret(value: &str) -> bool {
    let word = value.trim().to_ascii_lowercase();
    !["", "true", "false", "yes", "no", "on", "off", "none", "0", "1"].contains(&word.as_str())
        && !value.starts_with('/')
        && !value.contains("://")
}

/// Whether a value is no plain word that may mean something else elsewhere.
fn is_distinct(value: &str) -> bool {
    value.len() >= SHORTEST && !value.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c == '_')
}

/// `postgres://user:PASSWORD@host` → `PASSWORD`.
fn password_in_url(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let (user, _) = rest.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password)
}

fn contents(resource: &FileResource, files: &dyn Files) -> Option<String> {
    match &resource.source {
        FileResourceSource::File(path) => {
            String::from_utf8(files.read(std::path::Path::new(&path.value), LARGEST).ok()?).ok()
        }
        FileResourceSource::Environment(_, value) => value.as_ref().map(|value| value.reveal().to_owned()),
        FileResourceSource::Content(content) => Some(content.value.reveal().to_owned()),
        FileResourceSource::External => None,
    }
}

#[cfg(test)]
mod tests {
    use seaworthy_project::fixture::load_yaml;
    use serde_json::json;

    use super::*;

    struct NoFiles;

    impl Files for NoFiles {
        fn read(&self, _: &std::path::Path, _: u64) -> Result<Vec<u8>, seaworthy_project::FileError> {
            Err(seaworthy_project::FileError::Missing)
        }
        fn is_file(&self, _: &std::path::Path) -> bool {
            false
        }
        fn list(&self, _: &std::path::Path) -> Vec<std::path::PathBuf> {
            Vec::new()
        }
    }

    #[test]
    fn equal_secrets_stay_equal_and_none_stays_itself() {
        let project = load_yaml(
            "services:\n  db:\n    image: db:1\n    environment: { DB_PASSWORD: \"hunter2-Hunter2\", TOKEN_FILE: /run/x, PGPASSWORD: postgres }\n  web:\n    image: web:1\n    command: [serve, --password, \"hunter2-Hunter2\"]\n    environment: { URL: \"postgres://u:hunter2-Hunter2@db/app\", NAME: shop }\nsecrets:\n  gone: { file: ./gone }\n",
        );
        let key = SealKey::new([7; 32]);
        let throwaway = ThrowAway::of(&project, &NoFiles, &key);
        let stands = throwaway.in_text("hunter2-Hunter2");
        assert_eq!(stands.len(), "hunter2-Hunter2".len());
        assert_ne!(stands, "hunter2-Hunter2");
        assert_eq!(
            throwaway.in_text("postgres://u:hunter2-Hunter2@db/app"),
            format!("postgres://u:{stands}@db/app")
        );
        let mut value = json!({ "command": ["--password", "hunter2-Hunter2", 3], "hunter2-Hunter2": true });
        throwaway.in_value(&mut value);
        assert_eq!(value, json!({ "command": ["--password", stands, 3], "hunter2-Hunter2": true }));
        assert_eq!(throwaway.in_text("shop /run/x"), "shop /run/x");
        assert_eq!(throwaway.in_variable("PGPASSWORD", "postgres").len(), 8);
        assert_ne!(throwaway.in_variable("PGPASSWORD", "postgres"), "postgres");
        assert_eq!(throwaway.in_variable("PGUSER", "postgres"), "postgres", "a user is no password");
        assert!(throwaway.in_text("postgres://postgres:postgres@db").starts_with("postgres://postgres:"));
        assert!(!throwaway.in_text("postgres://postgres:postgres@db").contains(":postgres@"));
        let unread = throwaway.secret(&project.secrets["gone"], &NoFiles);
        assert_eq!(unread.reveal().len(), UNREAD.len());
    }
}
