//! Certificates in files: read before anything is done, so that what is wrong with one is said where it was named.

use jiff::Timestamp;
use seaworthy_gateway::tls::{CertificateError, examine, examine_issuers};
use seaworthy_project::{Files, Project, Service};

use super::LARGEST_FILE;
use crate::ReleaseError;

/// What stands in the way of serving the certificates that a project names.
pub fn wrong_certificates(project: &Project, files: &dyn Files, now: Timestamp) -> Vec<ReleaseError> {
    let of = |service| [of_service(service, files, now), of_clients(service, files)];
    project.services().flat_map(of).flatten().collect()
}

/// What is wrong with the file that clients' certificates are held against.
fn of_clients(service: &Service, files: &dyn Files) -> Option<ReleaseError> {
    let tls = service.settings.route.as_ref()?.value.tls.as_ref()?;
    let ca = &tls.value.clients.as_ref()?.ca;
    let wrong = |reason: String, hint: String| ReleaseError::Unsupported {
        message: format!(
            "clients of `{}` cannot be held against `{}`: {reason}",
            service.name.value,
            ca.display()
        ),
        hint,
        span: Some(tls.span),
    };
    match files.read(ca, LARGEST_FILE) {
        Ok(bytes) => examine_issuers(&bytes).err().map(|error| wrong(error.to_string(), error.hint())),
        Err(error) => Some(wrong(error.to_string(), "write the file, or name another one".to_owned())),
    }
}

fn of_service(service: &Service, files: &dyn Files, now: Timestamp) -> Option<ReleaseError> {
    let route = &service.settings.route.as_ref()?.value;
    let tls = route.tls.as_ref()?;
    let named = tls.value.files.as_ref()?;
    let name = &service.name.value;
    let mut read = Vec::new();
    for (what, path) in [("certificate", &named.certificate), ("key", &named.key)] {
        match files.read(path, LARGEST_FILE) {
            Ok(bytes) => read.push(bytes),
            Err(error) => {
                return Some(ReleaseError::Unsupported {
                    message: format!(
                        "the {what} `{}` of the route of `{name}` cannot be read: {error}",
                        path.display()
                    ),
                    hint: "write the file, or name another one".to_owned(),
                    span: Some(tls.span),
                });
            }
        }
    }
    let host = route.host.as_ref().map(|host| host.to_ascii_lowercase());
    let wrong = |error: CertificateError| ReleaseError::Unsupported {
        message: format!(
            "`{}` and `{}` cannot be served for `{name}`: {error}",
            named.certificate.display(),
            named.key.display()
        ),
        hint: error.hint(),
        span: Some(tls.span),
    };
    examine(read.first()?, read.last()?, host.as_deref(), now).err().map(wrong)
}
