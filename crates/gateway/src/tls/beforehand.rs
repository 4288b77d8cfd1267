//! Certificates of a set are looked at before it is served.

use super::{Certificate, clients, told};
use crate::error::GatewayError;
use crate::rim;
use crate::route::RouteSet;
use crate::route::tls::CertificateSource;
use crate::spans;

/// Whether the certificates of a set could be served, for whoever is about to deploy it.
///
/// # Errors
/// The first that could not.
pub fn check(set: &RouteSet) -> Result<(), GatewayError> {
    spans::check(set)?;
    for route in &set.routes {
        let Some(tls) = &route.tls else { continue };
        let own = match &tls.certificate {
            CertificateSource::Files { certificate, key } => Certificate::read(certificate, key)
                .and_then(|read| read.is_for(route.host.as_deref(), rim::now())),
            _ => Ok(()),
        };
        let issuers = || tls.issuers().map_or(Ok(()), |ca| clients::examine_file(ca));
        own.and_then(|()| issuers()).map_err(|error| GatewayError::Certificate {
            route: route.name.clone(),
            reason: told(&error),
            hint: error.hint(),
        })?;
    }
    Ok(())
}
