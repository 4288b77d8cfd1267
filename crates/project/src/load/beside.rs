//! Reads the files beside a project: Dockerfiles, what builds and Git leave out, files of variables.
//!
//! None of them can keep a project from loading: what cannot be read is told where it is asked for.

use std::path::{Path, PathBuf};

use crate::load::read::{Reader, absolute};
use crate::model::beside::{Beside, BuildFiles, DockerfileText};
use crate::{Project, Service};

/// The most files of variables that are looked at in one folder.
const MAX_ENVIRONMENT_FILES: usize = 32;
/// How many folders up a Git repository is looked for.
const MAX_PARENTS: usize = 32;

/// Reads what lies beside the project into its sources.
pub(super) fn read(project: &mut Project, reader: &mut Reader<'_>) {
    let mut beside = Beside::default();
    let before = reader.sources.iter().count() as u32;
    for service in project.services.values() {
        if let Some(files) = build(service, reader) {
            beside.builds.insert(service.name.value.clone(), files);
        }
    }
    environment(&mut beside, &project.directory, reader);
    let used = beside.environment.iter().filter(|file| file.0 < before);
    beside.used = used.copied().collect();
    git(&mut beside, &project.directory, reader);
    project.beside = beside;
}

fn build(service: &Service, reader: &mut Reader<'_>) -> Option<BuildFiles> {
    let node = service.node.get("build")?;
    let build = &service.build.as_ref()?.value;
    let context = build.context.as_deref().filter(|context| !is_remote(context));
    let inline = node.get("dockerfile_inline").and_then(|inline| Some((inline.text()?, inline.span)));
    let folder = context.map(|context| absolute(&reader.base.clone(), Path::new(context)));
    if folder.is_none() && inline.is_none() {
        return None;
    }
    let named = build.dockerfile.as_deref().unwrap_or("Dockerfile");
    let path = folder.as_ref().map(|folder| absolute(folder, Path::new(named)));
    let dockerfile = match (inline, &path) {
        (Some((text, span)), _) => DockerfileText::Inline(text.to_owned(), span),
        (None, Some(path)) => match reader.read(path, None) {
            Ok(file) => DockerfileText::File(file),
            Err(problem) => DockerfileText::Unread(problem.message),
        },
        (None, None) => return None,
    };
    let own_ignore = path.as_ref().map(|path| {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".dockerignore");
        path.with_file_name(name)
    });
    let common_ignore = folder.as_ref().map(|folder| folder.join(".dockerignore"));
    let ignore = own_ignore.into_iter().chain(common_ignore).find(|path| reader.files.is_file(path));
    let ignore = ignore.and_then(|path| reader.read(&path, None).ok());
    let names = folder.map(|folder| reader.files.list(&folder)).unwrap_or_default();
    Some(BuildFiles { dockerfile, ignore, names })
}

/// Whether a context is fetched from elsewhere.
fn is_remote(context: &str) -> bool {
    context.contains("://") || context.starts_with("git@") || context.starts_with("github.com/")
}

fn environment(beside: &mut Beside, folder: &Path, reader: &mut Reader<'_>) {
    let is_one = |name: &&PathBuf| {
        name.to_str().is_some_and(|name| {
            name == ".env" || name.starts_with(".env.") || (name.ends_with(".env") && name.len() > 4)
        })
    };
    let names = reader.files.list(folder);
    let paths: Vec<PathBuf> =
        names.iter().filter(is_one).take(MAX_ENVIRONMENT_FILES).map(|name| folder.join(name)).collect();
    for path in paths.iter().filter(|path| reader.files.is_file(path)) {
        beside.environment.extend(reader.read(path, None).ok());
    }
}

fn git(beside: &mut Beside, folder: &Path, reader: &mut Reader<'_>) {
    let has = |folder: &Path| reader.files.holds(folder, ".git");
    let Some(depth) = folder.ancestors().take(MAX_PARENTS).position(has) else { return };
    beside.in_git = true;
    for parent in folder.ancestors().take(depth + 1) {
        let path = parent.join(".gitignore");
        if reader.files.is_file(&path)
            && let Ok(file) = reader.read(&path, None)
        {
            beside.git_ignores.push((parent.to_owned(), file));
        }
    }
}
