//! What the gateway answers by itself is kept with a release: users, and pages.

use std::path::Path;

use indexmap::IndexMap;
use seaworthy_gateway::files::{self, FilesError, List};
use seaworthy_gateway::route::{MAINTENANCE, MOST_PAGE_BYTES, Users};
use seaworthy_project::{Files, Project, Sensitive, Service, Spanned};

use crate::routes::{list_key, page_key};
use crate::{Draft, ReleaseError, ReleaseNumber, Store};

/// The most pages of a service.
const MOST_PAGES: usize = 32;

/// The secret that holds the users of a service's route.
pub(super) fn users(service: &Service) -> Option<&String> {
    let auth = service.settings.route.as_ref()?.value.site.auth.as_ref()?;
    Some(&auth.users.value)
}

/// Reads the pages, and looks at the users that were read. Returns what stands in the way.
pub(super) fn read(
    project: &Project,
    files: &dyn Files,
    contents: &mut IndexMap<String, Sensitive>,
) -> Vec<ReleaseError> {
    let mut errors = Vec::new();
    for service in project.services() {
        let Some(route) = &service.settings.route else { continue };
        let site = &route.value.site;
        if let Some(auth) = &site.auth
            && let Some(text) = contents.get(&format!("secret {}", auth.users.value))
            && let Err(error) = Users::parse(text.reveal())
        {
            errors.push(ReleaseError::Unsupported {
                message: format!(
                    "the users of the route of `{}` cannot be read from secret `{}`: {error}",
                    service.name.value, auth.users.value
                ),
                hint: "write lines such as `htpasswd -nB NAME` prints them".to_owned(),
                span: Some(auth.users.span),
            });
        }
        if let Some(own) = &site.files {
            match files::scan(&inside(project, &own.folder.value)) {
                Ok(list) => {
                    match own.fallback.as_ref().filter(|file| !list.files.contains_key(&file.value)) {
                        Some(fallback) => errors.push(ReleaseError::Unsupported {
                            message: format!(
                                "`{}`, the fallback of the route of `{}`, is not among its files",
                                fallback.value, service.name.value
                            ),
                            hint: "name a file of the folder, such as `index.html`".to_owned(),
                            span: Some(fallback.span),
                        }),
                        None => {
                            contents.insert(list_key(service), Sensitive::new(list.text()));
                        }
                    }
                }
                Err(error) => errors.push(unusable(service, own.folder.span, &error)),
            }
        }
        if let Some(named) = &site.error_pages {
            match pages(project, named, files) {
                Ok(found) => {
                    contents.extend(found.into_iter().map(|(which, text)| (page_key(service, &which), text)))
                }
                Err(reason) => errors.push(ReleaseError::Unsupported {
                    message: format!(
                        "the error pages of the route of `{}` cannot be used: {reason}",
                        service.name.value
                    ),
                    hint:
                        "name an HTML file, or a folder with files such as `404.html` and `maintenance.html`"
                            .to_owned(),
                    span: Some(named.span),
                }),
            }
        }
    }
    errors
}

fn unusable(service: &Service, span: seaworthy_project::Span, error: &FilesError) -> ReleaseError {
    let cause = std::error::Error::source(error).map(|cause| format!(" ({cause})")).unwrap_or_default();
    ReleaseError::Unsupported {
        message: format!(
            "the files of the route of `{}` cannot be served: {error}{cause}",
            service.name.value
        ),
        hint: "build the frontend first, or name another folder".to_owned(),
        span: Some(span),
    }
}

/// Brings the files of a release to where the gateway of a state folder answers with them. Those that it serves now stay.
///
/// # Errors
/// What could not be kept.
pub fn keep_files(draft: &Draft, state: &Path) -> Vec<ReleaseError> {
    let project = &draft.project;
    let mut errors = Vec::new();
    for service in project.services() {
        let Some(own) = service.settings.route.as_ref().and_then(|route| route.value.site.files.as_ref())
        else {
            continue;
        };
        let Some(list) = draft.files.get(&list_key(service)).and_then(|text| List::parse(text.reveal()))
        else {
            continue;
        };
        let folder = inside(project, &own.folder.value);
        if let Err(error) = files::keep(state, project.name.as_str(), &folder, &list) {
            errors.push(unusable(service, own.folder.span, &error));
        }
    }
    errors
}

/// Lets go of the files that no kept release needs. Failing to harms nothing.
pub fn drop_files(store: &Store, state: &Path, project: &str) {
    let Ok(releases) = store.releases() else { return };
    let mut lists = Vec::new();
    for number in releases.iter().map(|release| release.number) {
        let Ok(release) = kept(store, number) else { return };
        lists.extend(release);
    }
    let _ = files::drop_but(state, project, &lists);
}

/// The lists of a release; an error where it cannot be read.
fn kept(store: &Store, number: ReleaseNumber) -> Result<Vec<List>, ReleaseError> {
    let release = store.release(number)?;
    let lists = release.files.iter().filter(|(name, _)| name.starts_with("files "));
    Ok(lists.filter_map(|(_, text)| List::parse(text.reveal())).collect())
}

/// The pages by their status; that of a file alone is for all.
fn pages(
    project: &Project,
    named: &Spanned<std::path::PathBuf>,
    files: &dyn Files,
) -> Result<Vec<(String, Sensitive)>, String> {
    let path = inside(project, &named.value);
    if files.is_file(&path) {
        return Ok(vec![("any".to_owned(), page(&path, files)?)]);
    }
    let mut found = Vec::new();
    for name in files.list(&path) {
        let Some(which) = name.to_str().and_then(|name| name.strip_suffix(".html")) else { continue };
        let status = which.parse::<u16>().is_ok_and(|status| (400..600).contains(&status));
        if status || which == MAINTENANCE {
            found.push((which.to_owned(), page(&path.join(&name), files)?));
        }
    }
    match found.len() {
        0 => Err(format!("there is none in `{}`", path.display())),
        1..=MOST_PAGES => Ok(found),
        _ => Err(format!("there are more than {MOST_PAGES}")),
    }
}

/// A path of the project's folder, without the `./` in front.
fn inside(project: &Project, path: &Path) -> std::path::PathBuf {
    project.directory.join(path.strip_prefix(".").unwrap_or(path))
}

fn page(path: &Path, files: &dyn Files) -> Result<Sensitive, String> {
    let bytes = files
        .read(path, MOST_PAGE_BYTES as u64)
        .map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    String::from_utf8(bytes).map(Sensitive::new).map_err(|_| format!("`{}` is not text", path.display()))
}
