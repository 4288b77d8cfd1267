//! Takes secret values out of text that others may read: log tails, answers of probes.

use seaworthy_engine::Revision;
use seaworthy_project::{Sensitive, credentials_in_commands, is_credential_name};

/// Shorter values are left: they would take ordinary words out of a log.
const SHORTEST: usize = 6;

/// Knows secret values, and takes them out of text.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    values: Vec<Sensitive>,
}

impl Redactor {
    /// Knows the values of credential-named variables, of credentials in connection strings and command lines, and of all
    /// secrets.
    pub fn of<'a>(revisions: impl IntoIterator<Item = &'a Revision>) -> Self {
        let mut redactor = Self::default();
        for revision in revisions {
            for (name, value) in &revision.service.environment {
                let Some(value) = &value.value else { continue };
                if is_credential_name(name) {
                    redactor.add(value.reveal());
                }
                if let Some(password) = password_in_url(value.reveal()) {
                    redactor.add(password);
                }
            }
            for credential in credentials_in_commands(&revision.service) {
                redactor.add(credential);
            }
            for file in &revision.files {
                redactor.add(file.contents.reveal());
                redactor.add(file.contents.reveal().trim());
            }
        }
        redactor.values.sort_by_key(|value| std::cmp::Reverse(value.reveal().len()));
        redactor
    }

    fn add(&mut self, value: &str) {
        if value.len() >= SHORTEST && !self.values.iter().any(|known| known.reveal() == value) {
            self.values.push(Sensitive::new(value));
        }
    }

    /// The text without the values it knows.
    pub fn redact(&self, text: &str) -> String {
        self.values
            .iter()
            .filter(|value| text.contains(value.reveal()))
            .fold(None, |text_so_far: Option<String>, value| {
                Some(text_so_far.as_deref().unwrap_or(text).replace(value.reveal(), "[redacted]"))
            })
            .unwrap_or_else(|| text.to_owned())
    }
}

/// `postgres://user:PASSWORD@host` → `PASSWORD`.
fn password_in_url(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("://")?;
    let (user, _) = rest.split_once('@')?;
    user.split_once(':').map(|(_, password)| password)
}

#[cfg(test)]
mod tests {
    use seaworthy_engine::{Artifact, InstanceKind, ReleaseNumber, RevisionId};
    use seaworthy_project::fixture::load_yaml;

    use super::*;

    #[test]
    fn a_password_in_a_command_line_is_taken_out() {
        let text =
            "services:\n  cache:\n    image: redis:8\n    command: redis-server --requirepass hunter2\n";
        let project = load_yaml(text);
        let service = project.services().next().expect("there is one").clone();
        let revision = Revision {
            project: project.name.clone(),
            directory: project.directory.clone(),
            release: ReleaseNumber(1),
            id: RevisionId("0123456789ab".to_owned()),
            service,
            kind: InstanceKind::Replica,
            artifact: Artifact { name: "redis:8".to_owned(), digest: "sha256:one".to_owned() },
            files: Vec::new(),
            volumes: Vec::new(),
            networks: Vec::new(),
        };
        let redactor = Redactor::of([&revision]);
        assert_eq!(redactor.redact("Args: --requirepass hunter2."), "Args: --requirepass [redacted].");
    }
}
