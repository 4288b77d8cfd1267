//! The list of images, embedded in the program.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use crate::{Image, Reference};

macro_rules! images {
    ($($id:literal),* $(,)?) => {
        &[$(($id, include_str!(concat!("../images/", $id, ".toml")))),*]
    };
}

/// Every file of `images/`, by name; a test compares this list with the folder.
const FILES: &[(&str, &str)] = images![
    "adminer",
    "alpine",
    "bitnami-kafka",
    "bitnami-mariadb",
    "bitnami-mongodb",
    "bitnami-mysql",
    "bitnami-postgresql",
    "bitnami-rabbitmq",
    "bitnami-redis",
    "caddy",
    "centos",
    "clickhouse",
    "debian",
    "dotnet",
    "elasticsearch",
    "golang",
    "grafana",
    "haproxy",
    "java",
    "kafka",
    "mailhog",
    "mailpit",
    "mariadb",
    "meilisearch",
    "memcached",
    "minio",
    "mongo",
    "mongo-express",
    "mysql",
    "n8n",
    "nats",
    "nginx",
    "node",
    "opensearch",
    "percona",
    "percona-mongodb",
    "pgadmin",
    "php",
    "phpmyadmin",
    "postgres",
    "prometheus",
    "python",
    "qdrant",
    "rabbitmq",
    "redis",
    "redis-commander",
    "ruby",
    "rust",
    "traefik",
    "ubuntu",
    "valkey",
];

/// What was read of each file; a run reads only those that it asks for.
static IMAGES: [OnceLock<Image>; FILES.len()] = [const { OnceLock::new() }; FILES.len()];

/// Which file has a name.
static BY_NAME: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
    let names = |(at, (_, text)): (usize, &(&str, &'static str))| names(text).map(move |name| (name, at));
    FILES.iter().enumerate().flat_map(names).collect()
});

/// The names in a file, without reading all of it: they stand in one line, in plain quotes. A test holds this against the
/// whole file.
fn names(text: &'static str) -> impl Iterator<Item = &'static str> {
    let list = text.lines().find_map(|line| line.strip_prefix("names = [")).unwrap_or_default();
    list.split('"').skip(1).step_by(2)
}

fn image(at: usize) -> &'static Image {
    IMAGES[at].get_or_init(|| {
        let (id, text) = FILES[at];
        let mut image: Image =
            toml::from_str(text).expect("the files are embedded, and a test reads each of them");
        image.id = id.to_owned();
        image
    })
}

/// All images, by name.
pub fn all() -> impl Iterator<Item = &'static Image> {
    (0..FILES.len()).map(image)
}

/// What is known of the image with that reference: `postgres:17`, `docker.io/library/postgres@sha256:…`.
pub fn lookup(image_reference: &str) -> Option<&'static Image> {
    let reference = Reference::parse(image_reference);
    let at = match reference.registry {
        None => BY_NAME.get(reference.repository),
        Some(_) => BY_NAME.get(reference.name().as_str()),
    };
    at.map(|at| image(*at))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test compares the registry with the folder")]
    fn the_folder_is_the_registry() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/images");
        let names: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                entry.unwrap().file_name().into_string().unwrap().trim_end_matches(".toml").to_owned()
            })
            .collect();
        let listed: BTreeSet<String> = FILES.iter().map(|(id, _)| (*id).to_owned()).collect();
        assert_eq!(names, listed, "each file of images/ is in FILES, and each entry has its file");
    }

    #[test]
    fn every_file_is_read_and_every_name_is_taken_once() {
        for (id, text) in FILES {
            match toml::from_str::<Image>(text) {
                Ok(image) => {
                    assert!(names(text).eq(&image.names), "images/{id}.toml: the names stand in one line")
                }
                Err(error) => panic!("images/{id}.toml: {error}"),
            }
        }
        let names: Vec<&String> = all().flat_map(|image| &image.names).collect();
        let unique: BTreeSet<&String> = names.iter().copied().collect();
        assert_eq!(names.len(), unique.len());
    }

    #[test]
    fn facts_keep_their_form() {
        for image in all() {
            let absolute =
                |path: &String| assert!(path.starts_with('/'), "{}: `{path}` is absolute", image.id);
            image.volumes.iter().for_each(|volume| absolute(&volume.path));
            if let Some(hardening) = &image.hardening {
                hardening.writable.iter().flatten().for_each(absolute);
                for capability in hardening.capabilities.iter().flatten() {
                    assert!(
                        capability.chars().all(|c| c.is_ascii_uppercase() || c == '_'),
                        "{}: {capability}",
                        image.id
                    );
                    assert!(!capability.starts_with("CAP_"), "{}: {capability}", image.id);
                }
            }
            for ineffective in &image.ineffective {
                assert!(!image.file_variables.contains(&ineffective.variable), "{}: it reads it", image.id);
                assert!(
                    !image.credentials.iter().any(|one| one.variable == ineffective.variable),
                    "{}",
                    image.id
                );
            }
            if let Some(backup) = &image.backup {
                assert!(!image.volumes.is_empty(), "{}: what is backed up is kept somewhere", image.id);
                assert!(backup.dump != backup.restore, "{}", image.id);
            }
            if let Some(health) = &image.health {
                assert!(matches!(health.test[0].as_str(), "CMD" | "CMD-SHELL"), "{}", image.id);
                assert!(health.test.len() > 1, "{}", image.id);
            }
            for switch in image.authentication_off.iter().chain(&image.open_dashboard) {
                assert!(
                    switch.variable.is_some() != switch.argument.is_some(),
                    "{}: one of the two",
                    image.id
                );
            }
            assert!(
                !(image.kind.is_internal() && image.ports.is_empty()),
                "{}: its ports are known",
                image.id
            );
        }
    }

    #[test]
    fn images_are_found_under_each_spelling() {
        for reference in
            ["postgres", "postgres:17-alpine", "library/postgres:17", "docker.io/library/postgres@sha256:00"]
        {
            assert_eq!(lookup(reference).map(|image| image.id.as_str()), Some("postgres"), "{reference}");
        }
        assert!(lookup("ghcr.io/somebody/postgres").is_none());
        assert!(lookup("").is_none());
    }

    #[test]
    fn postgres_moved_its_data_in_version_18() {
        let image = lookup("postgres").unwrap();
        assert_eq!(image.data_paths(&Reference::parse("postgres:17")), ["/var/lib/postgresql/data"]);
        assert_eq!(image.data_paths(&Reference::parse("postgres:18")), ["/var/lib/postgresql"]);
        assert_eq!(image.data_paths(&Reference::parse("postgres")).len(), 2);
    }
}
