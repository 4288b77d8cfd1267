//! What the gateway answers by itself is kept with a release: users, and pages.

use std::path::Path;

use indexmap::IndexMap;
use seaworthy_gateway::route::{MAINTENANCE, MOST_PAGE_BYTES, Users};
use seaworthy_project::{Files, Project, Sensitive, Service, Spanned};

use crate::ReleaseError;
use crate::routes::page_key;

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
