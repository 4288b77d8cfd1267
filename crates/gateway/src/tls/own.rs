//! Certificates that the gateway makes itself: for development and staging, and in place of one that cannot be had.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::certificate::{Certificate, CertificateError};
use crate::place::Place;
use crate::rim;
use crate::sockets::note;

/// How long it holds, in seconds: no longer than browsers take from anybody.
const LIFE: i64 = 397 * 24 * 3600;
/// It holds from a little before now, for clients whose clock is behind.
const BEFORE: i64 = 3600;
/// Whom it is for where the route has no host.
const ANY: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Characters of a line of PEM.
const LINE: usize = 64;

/// The one that is kept for a host, or a new one, which is kept then. Where it cannot be kept, it is served all the same.
pub(super) fn kept_or_made(host: Option<&str>, place: &Place) -> Result<Certificate, CertificateError> {
    let path = place.self_signed(host);
    let now = rim::now();
    if let Ok(kept) = Certificate::kept(&path)
        && kept.is_for(host, now).is_ok()
        && !kept.is_ageing(now)
    {
        return Ok(kept);
    }
    let (certificate, pem) = make(host, now)?;
    let folder = path.parent().map_or(Ok(()), rim::private_folder);
    if let Err(error) = folder.and_then(|()| rim::replace(&path, pem.as_bytes())) {
        note(place, &format!("the self-signed certificate `{}` cannot be kept: {error}", path.display()));
    }
    Ok(certificate)
}

/// A new one that is not kept.
pub(super) fn stand_in(host: Option<&str>) -> Result<Certificate, CertificateError> {
    Ok(make(host, rim::now())?.0)
}

fn make(host: Option<&str>, now: Timestamp) -> Result<(Certificate, String), CertificateError> {
    let failed = |_| CertificateError::Malformed;
    let names = match host {
        Some(host) => vec![host.trim_matches(['[', ']']).to_owned()],
        None => ANY.map(str::to_owned).to_vec(),
    };
    let mut wanted = CertificateParams::new(names.clone()).map_err(failed)?;
    wanted.distinguished_name = DistinguishedName::new();
    wanted.distinguished_name.push(DnType::CommonName, names.first().map_or("localhost", String::as_str));
    wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let at = |seconds: i64| {
        let since = std::time::Duration::from_secs(u64::try_from(now.as_second() + seconds).unwrap_or(0));
        (std::time::SystemTime::UNIX_EPOCH + since).into()
    };
    wanted.not_before = at(-BEFORE);
    wanted.not_after = at(LIFE - BEFORE);
    let key = KeyPair::generate().map_err(failed)?;
    let made = wanted.self_signed(&key).map_err(failed)?;
    let text = pem("CERTIFICATE", made.der()) + &pem("PRIVATE KEY", key.serialized_der());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialized_der().to_vec()));
    Ok((Certificate::of(vec![made.der().clone()], &key)?, text))
}

/// DER as PEM.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let digits = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = digits.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text + &format!("-----END {label}-----\n")
}
