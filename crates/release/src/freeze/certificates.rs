//! Certificates in files, and what else the gateway reads: looked at before anything is done, so that what is wrong with one is said where it was named.

use std::path::Path;

use jiff::Timestamp;
use seaworthy_gateway::examine_headers;
use seaworthy_gateway::tls::{CertificateError, examine, examine_issuers, examine_roots};
use seaworthy_project::model::tls::TlsMode;
use seaworthy_project::model::traces::Endpoint;
use seaworthy_project::{Files, Project, Service, Span};

use super::LARGEST_FILE;
use crate::ReleaseError;

/// What stands in the way of serving the certificates that a project names.
pub fn wrong_certificates(project: &Project, files: &dyn Files, now: Timestamp) -> Vec<ReleaseError> {
    let of = |service| {
        let own = [of_service(service, files, now), of_clients(service, files), of_issuer(service, files)];
        own.into_iter().chain(of_collector(service, files))
    };
    project.services().flat_map(of).flatten().collect()
}

/// What is wrong with the file that an issuer is held against.
fn of_issuer(service: &Service, files: &dyn Files) -> Option<ReleaseError> {
    let tls = service.settings.route.as_ref()?.value.tls.as_ref()?;
    let is_asked = tls.value.files.is_none() && tls.value.mode == Some(TlsMode::Acme);
    let roots = tls.value.acme.roots.as_ref().filter(|_| is_asked)?;
    let what = format!("the issuer of certificates for `{}` cannot be held against", service.name.value);
    unfit(&what, (roots, tls.span), files, |bytes| examine_roots(bytes).map_err(told))
}

/// What is wrong with the files that are about a collector of spans.
fn of_collector(service: &Service, files: &dyn Files) -> [Option<ReleaseError>; 2] {
    let traces = service.settings.route.as_ref().and_then(|route| route.value.traces.as_ref());
    let Some(traces) = traces.filter(|traces| matches!(traces.value.endpoint, Some(Endpoint::Collector(_))))
    else {
        return [None, None];
    };
    let name = &service.name.value;
    let (span, said) = (traces.span, &traces.value);
    let roots = said.roots.as_ref().and_then(|path| {
        let what = format!("the collector of spans of `{name}` cannot be held against");
        unfit(&what, (path, span), files, |bytes| examine_roots(bytes).map_err(told))
    });
    let headers = said.headers_file.as_ref().and_then(|path| {
        let what = format!("the headers for the collector of spans of `{name}` cannot be taken from");
        let hint =
            "write it as `name=value,name=value`, as `OTEL_EXPORTER_OTLP_HEADERS` is written".to_owned();
        unfit(&what, (path, span), files, |bytes| {
            examine_headers(bytes).map_err(|error| (error.to_string(), hint))
        })
    });
    [roots, headers]
}

/// What stands in the way of a file: it cannot be read, or what is in it is of no use.
fn unfit(
    what: &str,
    (path, span): (&Path, Span),
    files: &dyn Files,
    examine: impl FnOnce(&[u8]) -> Result<(), (String, String)>,
) -> Option<ReleaseError> {
    let examined = match files.read(path, LARGEST_FILE) {
        Ok(bytes) => examine(&bytes),
        Err(error) => Err((error.to_string(), "write the file, or name another one".to_owned())),
    };
    let (reason, hint) = examined.err()?;
    let message = format!("{what} `{}`: {reason}", path.display());
    Some(ReleaseError::Unsupported { message, hint, span: Some(span) })
}

/// What is wrong with the file that clients' certificates are held against.
fn of_clients(service: &Service, files: &dyn Files) -> Option<ReleaseError> {
    let tls = service.settings.route.as_ref()?.value.tls.as_ref()?;
    let ca = &tls.value.clients.as_ref()?.ca;
    let what = format!("clients of `{}` cannot be held against", service.name.value);
    unfit(&what, (ca, tls.span), files, |bytes| examine_issuers(bytes).map_err(told))
}

fn told(error: CertificateError) -> (String, String) {
    (error.to_string(), error.hint())
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
