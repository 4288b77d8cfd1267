//! Credentials for registries, as the `docker` program keeps them: in `config.json`, or with a helper program.

use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::auth::DockerCredentials;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::EngineError;
use crate::docker::options::{DockerOptions, settings};

/// What `config.json` calls the registry of images without one in their name.
const HUB: &str = "https://index.docker.io/v1/";
/// How long a helper may take.
const HELPER: Duration = Duration::from_secs(30);

/// The registry of an image.
pub(super) fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first,
        _ => HUB,
    }
}

/// The registry of an image as people call it.
pub(super) fn shown(image: &str) -> &str {
    match registry(image) {
        HUB => "docker.io",
        other => other,
    }
}

/// The credentials for the registry of an image; `None` when nobody is logged in there.
pub(super) async fn of(
    options: &DockerOptions,
    image: &str,
) -> Result<Option<DockerCredentials>, EngineError> {
    of_registry(options, registry(image)).await
}

/// The credentials for a registry, by the name that `config.json` has for it.
pub(super) async fn of_registry(
    options: &DockerOptions,
    registry: &str,
) -> Result<Option<DockerCredentials>, EngineError> {
    let Some(folder) = options.configuration.as_deref() else { return Ok(None) };
    let Some(settings) = settings(folder)? else { return Ok(None) };
    let helper = settings.pointer("/credHelpers").and_then(|helpers| helpers.get(registry)?.as_str());
    let store = settings.get("credsStore").and_then(Value::as_str).filter(|store| !store.is_empty());
    if let Some(helper) = helper.or(store) {
        return ask(options, helper, registry).await;
    }
    let entry = settings
        .get("auths")
        .and_then(|auths| auths.get(registry).or_else(|| auths.get(format!("https://{registry}"))));
    Ok(entry.and_then(|entry| read(entry, registry)))
}

/// An entry of `auths`.
fn read(entry: &Value, registry: &str) -> Option<DockerCredentials> {
    let text =
        |key: &str| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let server = Some(registry.to_owned());
    if let Some(token) = text("identitytoken") {
        return Some(DockerCredentials {
            identitytoken: Some(token),
            serveraddress: server,
            ..DockerCredentials::default()
        });
    }
    let both = text("auth").and_then(|auth| {
        let plain = String::from_utf8(STANDARD.decode(auth).ok()?).ok()?;
        let (user, password) = plain.split_once(':')?;
        Some((user.to_owned(), password.trim_end_matches('\0').to_owned()))
    });
    let (username, password) = both.or_else(|| Some((text("username")?, text("password")?)))?;
    Some(DockerCredentials {
        username: Some(username),
        password: Some(password),
        serveraddress: server,
        ..DockerCredentials::default()
    })
}

/// Asks a helper, which is started as it is, without a shell.
async fn ask(
    options: &DockerOptions,
    helper: &str,
    registry: &str,
) -> Result<Option<DockerCredentials>, EngineError> {
    let program = format!("docker-credential-{helper}");
    let refused = |reason: String| {
        EngineError::Refused {
        attempt: format!("ask `{program}` for the credentials of `{registry}`"),
        reason,
        hint: Some(
            "install it, run `docker login` again, or correct `credsStore` and `credHelpers` in Docker's `config.json`"
                .to_owned(),
        ),
    }
    };
    if !helper.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return Err(refused("its name is no name of a program".to_owned()));
    }
    let mut command = Command::new(&program);
    command.arg("get").env("PATH", &options.search_path);
    if let Some(home) = &options.home {
        command.env("HOME", home);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let run = async {
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(registry.as_bytes()).await?;
        }
        child.wait_with_output().await
    };
    let output = match timeout(HELPER, run).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(refused("there is no such program on the search path".to_owned()));
        }
        Ok(Err(error)) => return Err(refused(error.to_string())),
        Err(_) => return Err(refused(format!("it did not answer within {} s", HELPER.as_secs()))),
    };
    // Helpers say "credentials not found" on standard output, and fail: then nobody is logged in.
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stdout);
        let unknown = text.contains("credentials not found") || text.contains("no credentials");
        return if unknown { Ok(None) } else { Err(refused(output.status.to_string())) };
    }
    let answer: Value =
        serde_json::from_slice(&output.stdout).map_err(|_| refused("its answer is no JSON".to_owned()))?;
    let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let server = Some(registry.to_owned());
    Ok(Some(match text("Username").as_str() {
        "<token>" => DockerCredentials {
            identitytoken: Some(text("Secret")),
            serveraddress: server,
            ..DockerCredentials::default()
        },
        user => DockerCredentials {
            username: Some(user.to_owned()),
            password: Some(text("Secret")),
            serveraddress: server,
            ..DockerCredentials::default()
        },
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods)]
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;
    use crate::docker::DockerPlace;

    fn options(folder: &Path) -> DockerOptions {
        DockerOptions {
            state: folder.to_owned(),
            runtime: folder.to_owned(),
            place: DockerPlace::Socket("/nowhere".into()),
            configuration: Some(folder.to_owned()),
            search_path: format!("{}:/usr/bin:/bin", folder.display()),
            home: None,
            answer: DockerOptions::ANSWER,
        }
    }

    #[test]
    fn the_registry_is_told_from_a_folder() {
        assert_eq!(registry("nginx"), HUB);
        assert_eq!(registry("library/nginx:1"), HUB);
        assert_eq!(registry("localhost/x"), "localhost");
        assert_eq!(registry("registry.example:5000/a/b:1"), "registry.example:5000");
    }

    #[tokio::test]
    async fn credentials_come_from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let auth = STANDARD.encode("me:hunter:2");
        let text =
            format!(r#"{{"auths":{{"r.example":{{"auth":"{auth}"}},"t.example":{{"identitytoken":"t"}}}}}}"#);
        std::fs::write(folder.path().join("config.json"), text).unwrap();
        let options = options(folder.path());
        let found = of(&options, "r.example/web:1").await.unwrap().unwrap();
        assert_eq!((found.username.as_deref(), found.password.as_deref()), (Some("me"), Some("hunter:2")));
        let found = of(&options, "t.example/web:1").await.unwrap().unwrap();
        assert_eq!(found.identitytoken.as_deref(), Some("t"));
        assert_eq!(of(&options, "nginx").await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_helper_is_asked_and_its_failure_told() {
        let folder = tempfile::tempdir().unwrap();
        let settings =
            r#"{"credsStore":"bad","credHelpers":{"r.example":"good","n.example":"none","e.example":"a b"}}"#;
        std::fs::write(folder.path().join("config.json"), settings).unwrap();
        let helper = |name: &str, script: &str| {
            let path = folder.path().join(format!("docker-credential-{name}"));
            std::fs::write(&path, format!("#!/bin/sh\nread -r registry\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        helper("good", r#"echo "{\"Username\":\"$1\",\"Secret\":\"$registry\"}""#);
        helper("none", "echo credentials not found in native keychain; exit 1");
        helper("bad", "exit 3");
        let options = options(folder.path());
        let found = of(&options, "r.example/web:1").await.unwrap().unwrap();
        assert_eq!((found.username.as_deref(), found.password.as_deref()), (Some("get"), Some("r.example")));
        assert_eq!(of(&options, "n.example/web:1").await.unwrap(), None);
        for image in ["nginx", "e.example/web:1"] {
            assert!(of(&options, image).await.unwrap_err().hint().is_some(), "{image}");
        }
    }
}
