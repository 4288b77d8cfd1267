//! An image reference taken apart: registry, repository, tag, digest.

/// An image reference, borrowed from its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference<'text> {
    /// The registry's host, when it is not Docker Hub.
    pub registry: Option<&'text str>,
    /// The repository, without `library/`.
    pub repository: &'text str,
    /// The tag as written; `None` means `latest`.
    pub tag: Option<&'text str>,
    /// The digest: `sha256:…`.
    pub digest: Option<&'text str>,
}

impl<'text> Reference<'text> {
    /// Takes a reference apart. Every text is some reference: what is odd stays in the repository.
    pub fn parse(text: &'text str) -> Self {
        let text = text.trim();
        let (text, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let last_part = text.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match text[last_part..].split_once(':') {
            Some((part, tag)) => (&text[..last_part + part.len()], Some(tag)),
            None => (text, None),
        };
        let (registry, path) = match name.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (Some(host), path),
            _ => (None, name),
        };
        let registry = registry
            .filter(|host| !matches!(*host, "docker.io" | "index.docker.io" | "registry-1.docker.io"));
        let repository = match registry {
            None => path.strip_prefix("library/").unwrap_or(path),
            Some(_) => path,
        };
        Self { registry, repository, tag, digest }
    }

    /// Registry and repository as the catalog writes names.
    pub fn name(&self) -> String {
        match self.registry {
            Some(host) => format!("{host}/{}", self.repository),
            None => self.repository.to_owned(),
        }
    }

    /// The first number of the tag: `17` of `17.2-alpine`, and of `v17`.
    pub fn major(&self) -> Option<u32> {
        let tag = self.tag?;
        let tag = tag.strip_prefix('v').unwrap_or(tag);
        let end = tag.find(|c: char| !c.is_ascii_digit()).unwrap_or(tag.len());
        tag[..end].parse().ok()
    }

    /// Whether the tag belongs to a series: `13`, `13.4` and `13-alpine` are of `13`; `130` is not.
    /// A later part counts too where the series is a name: `3.9-buster` is of `buster`.
    pub fn is_of_series(&self, series: &str) -> bool {
        let Some(tag) = self.tag else { return false };
        let starts = |text: &str| match text.strip_prefix(series) {
            Some(rest) => rest.is_empty() || rest.starts_with(['.', '-', '_']),
            None => false,
        };
        starts(tag)
            || tag.strip_prefix('v').is_some_and(starts)
            || (series.starts_with(|c: char| c.is_ascii_alphabetic())
                && tag.split('-').any(|part| part == series))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        let parts = |text| {
            let r = Reference::parse(text);
            (r.name(), r.tag.map(str::to_owned), r.digest.map(str::to_owned))
        };
        assert_eq!(parts("postgres"), ("postgres".into(), None, None));
        assert_eq!(parts("library/postgres:17"), ("postgres".into(), Some("17".into()), None));
        assert_eq!(
            parts("docker.io/library/postgres:17.2-alpine"),
            ("postgres".into(), Some("17.2-alpine".into()), None)
        );
        assert_eq!(
            parts("localhost:5000/team/web:1.4"),
            ("localhost:5000/team/web".into(), Some("1.4".into()), None)
        );
        assert_eq!(parts("ghcr.io/a/b@sha256:00"), ("ghcr.io/a/b".into(), None, Some("sha256:00".into())));
        assert_eq!(parts(":@/"), (String::new(), Some(String::new()), Some("/".into())));
    }

    #[test]
    fn series_match_by_whole_numbers() {
        let of = |text, series| Reference::parse(text).is_of_series(series);
        assert!(of("postgres:13", "13") && of("postgres:13.4", "13") && of("postgres:13-alpine", "13"));
        assert!(!of("postgres:130", "13") && !of("postgres:3.13", "13") && !of("postgres", "13"));
        assert!(of("python:3.9-slim-buster", "buster") && of("traefik:v1.7", "1"));
        assert!(!of("php:8.10", "8.1"));
    }

    #[test]
    fn the_major_version_is_the_first_number() {
        assert_eq!(Reference::parse("postgres:18beta1").major(), Some(18));
        assert_eq!(Reference::parse("postgres:alpine").major(), None);
        assert_eq!(Reference::parse("postgres:99999999999999999999").major(), None);
    }
}
