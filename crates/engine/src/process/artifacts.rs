//! The programs that services run: found, pinned by content, kept so that a rollback has them.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use seaworthy_project::{Loss, ProjectName, Service};
use sha2::{Digest, Sha256};

use crate::process::folder::{Folders, Made};
use crate::{Artifact, EngineError, Inspection, Revision, system};

/// What a service would run now.
pub(super) fn inspect(
    directory: &Path,
    service: &Service,
    search_path: &str,
) -> Result<Inspection, EngineError> {
    let settings = command(service)?;
    let builds = service.settings.process.as_ref().is_some_and(|process| process.value.build.is_some());
    let name = settings[0].clone();
    let found = find(directory, &name, search_path);
    let artifact = match (&found, builds) {
        (Some(path), _) => Some(Artifact { digest: digest(path, service, &name)?, name: name.clone() }),
        (None, true) => None,
        (None, false) => return Err(missing(service, &name, "was not found", &not_found_hint(&name))),
    };
    let mut losses = Vec::new();
    if settings.iter().skip(1).any(|word| directory.join(word).exists()) {
        losses.push(Loss {
            key: format!("services.{}.x-seaworthy.process.command", service.name.value),
            span: service.settings.process.as_ref().map(|process| process.span),
            instead: "the program is kept with the release, files that its arguments name are read from the project folder as they are"
                .to_owned(),
        });
    }
    Ok(Inspection { artifact, builds, health: None, losses, image: None })
}

/// Keeps the program of a revision; when it is kept already, the project folder need not have it any more.
pub(super) fn keep(folders: &Folders, revision: &Revision, search_path: &str) -> Result<(), EngineError> {
    let service = &revision.service;
    let kept = path(folders, &revision.project, &revision.artifact);
    if kept.is_file() {
        return Ok(());
    }
    let name = &revision.artifact.name;
    let gone = "is neither kept nor in the project folder as this release knew it";
    let hint = "deploy again, or roll back to another release";
    let source =
        find(&revision.directory, name, search_path).ok_or_else(|| missing(service, name, gone, hint))?;
    if digest(&source, service, name)? != revision.artifact.digest {
        return Err(missing(service, name, gone, hint));
    }
    let parent = kept.parent().unwrap_or(&kept).to_owned();
    system::private_folder(&parent)?;
    let attempt = || format!("keep `{name}` in `{}`", parent.display());
    let bytes = system::attempt(
        system::open(&source).and_then(|mut file| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map(|_| bytes)
        }),
        attempt,
    )?;
    if format!("sha256:{}", system::hexadecimal(&Sha256::digest(&bytes))) != revision.artifact.digest {
        return Err(missing(
            service,
            name,
            "changed while it was being kept",
            "run the command again when nothing writes to it",
        ));
    }
    system::attempt(system::write_whole(&kept, &bytes, 0o755), attempt)
}

/// Where the program of an artifact is kept.
pub(super) fn path(folders: &Folders, project: &ProjectName, artifact: &Artifact) -> PathBuf {
    let digest = artifact.digest.trim_start_matches("sha256:");
    let name = Path::new(&artifact.name).file_name().map_or_else(|| "program".into(), ToOwned::to_owned);
    folders.artifacts(project).join(digest).join(name)
}

/// What an instance of a revision executes: the kept copy. A program that is named without a slash is the machine's (an
/// interpreter, a database) and looks for its own files beside itself: it is run where it is, as long as it is the one
/// that was pinned.
pub(super) fn to_run(folders: &Folders, revision: &Revision, search_path: &str) -> PathBuf {
    let name = &revision.artifact.name;
    let found = find(&revision.directory, name, search_path).filter(|_| !name.contains('/'));
    let found = found.filter(|found| {
        digest(found, &revision.service, name).is_ok_and(|digest| digest == revision.artifact.digest)
    });
    found.unwrap_or_else(|| path(folders, &revision.project, &revision.artifact))
}

/// Drops what neither a kept release nor an instance of the project needs.
pub(super) fn prune(folders: &Folders, project: &ProjectName, keep: &[Artifact]) -> Result<(), EngineError> {
    let attempt = || "drop old programs".to_owned();
    let mut used: Vec<String> = keep.iter().map(|artifact| artifact.digest.clone()).collect();
    for instance in system::attempt(system::names(&folders.project(project)), attempt)? {
        match Made::read(&folders.project(project).join(instance)) {
            Ok(Some(made)) => used.push(made.artifact),
            Ok(None) => {}
            // What cannot be understood may need anything: nothing is dropped then.
            Err(_) => return Ok(()),
        }
    }
    let folder = folders.artifacts(project);
    for digest in system::attempt(system::names(&folder), attempt)? {
        if !used.iter().any(|used| used.trim_start_matches("sha256:") == digest) {
            system::attempt(system::remove_tree(&folder.join(digest)), attempt)?;
        }
    }
    Ok(())
}

/// The words of the command.
pub(super) fn command(service: &Service) -> Result<&[String], EngineError> {
    let process = service.settings.process.as_ref();
    match process.map(|process| process.value.command.as_slice()) {
        Some(words) if !words.is_empty() => Ok(words),
        _ => Err(EngineError::NotRunnable {
            service: service.name.value.to_string(),
            reason: "does not say how it runs as a plain process".to_owned(),
            hint: "add `x-seaworthy: { process: { command: [\"./program\"] } }`".to_owned(),
            span: Some(service.name.span),
        }),
    }
}

fn find(directory: &Path, name: &str, search_path: &str) -> Option<PathBuf> {
    if name.contains('/') {
        let path = directory.join(name);
        return path.is_file().then_some(path);
    }
    search_path
        .split(':')
        .filter(|folder| !folder.is_empty())
        .map(|folder| Path::new(folder).join(name))
        .find(|path| {
            path.metadata()
                .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
        })
}

fn digest(path: &Path, service: &Service, name: &str) -> Result<String, EngineError> {
    let metadata = system::attempt(path.metadata(), || format!("look at `{name}`"))?;
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(missing(service, name, "is not executable", &format!("run `chmod +x {name}`")));
    }
    let mut hash = Sha256::new();
    let mut file = system::attempt(system::open(path), || format!("read `{name}`"))?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = system::attempt(file.read(&mut buffer), || format!("read `{name}`"))?;
        if count == 0 {
            return Ok(format!("sha256:{}", system::hexadecimal(&hash.finalize())));
        }
        hash.update(&buffer[..count]);
    }
}

fn not_found_hint(name: &str) -> String {
    match name.contains('/') {
        true => {
            "build it first, or correct `x-seaworthy.process.command`; the path starts at the project folder"
                .to_owned()
        }
        false => format!("install `{name}`, or give its path with a slash"),
    }
}

fn missing(service: &Service, name: &str, reason: &str, hint: &str) -> EngineError {
    EngineError::Artifact {
        service: service.name.value.to_string(),
        artifact: name.to_owned(),
        reason: reason.to_owned(),
        hint: hint.to_owned(),
        span: service.settings.process.as_ref().map(|process| process.span),
    }
}
