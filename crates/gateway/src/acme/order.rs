//! One order, from the account to the certificate.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, Order, OrderStatus,
    RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use thiserror::Error;

use super::challenges::{Kind, Offered};
use super::courier::{Courier, Lost, Rest};
use super::issuer;
use crate::rim;
use crate::route::tls::Acme;
use crate::tls::CertificateError;
use crate::tls::own::pem;
use crate::worker::Gateway;

/// How long an issuer may take to look, and to issue.
const PATIENCE: Duration = Duration::from_secs(90);
/// The longest account that is read.
const MOST_ACCOUNT: u64 = 64 << 10;

/// Why there is no certificate.
#[derive(Debug, Error)]
pub(super) enum Failed {
    #[error("the gateway listens neither on port 80 nor on port 443, where issuers look")]
    NoPort,
    #[error("the issuer cannot be asked")]
    Lost(#[source] Lost),
    #[error("the issuer did not {doing}")]
    Issuer { doing: &'static str, source: instant_acme::Error },
    #[error("the issuer offers no way to look that is known here")]
    NoChallenge,
    #[error("the issuer did not find what it looked for: {reason}")]
    NotFound { reason: String },
    #[error("the issuer took too long")]
    Late,
    #[error("no request for a certificate could be made")]
    Request(#[source] rcgen::Error),
    #[error("what was issued cannot be used")]
    Unusable(#[source] CertificateError),
    #[error("`{}` cannot be written", path.display())]
    Unkept { path: PathBuf, source: io::Error },
}

impl Failed {
    /// Whether nobody was asked, so that nobody counted it.
    pub(super) fn reached_nobody(&self) -> bool {
        match self {
            Self::Lost(_) | Self::NoPort => true,
            Self::Issuer { source: instant_acme::Error::Other(lost), .. } => {
                matches!(lost.downcast_ref(), Some(Lost::Unreached { .. } | Lost::NoRoots { .. }))
            }
            _ => false,
        }
    }

    /// It and its causes.
    pub(super) fn told(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.ends_with(&said) {
                text = format!("{text}: {said}");
            }
            cause = error.source();
        }
        text
    }
}

/// For whom, and how it is proven.
pub(super) struct Trial<'a> {
    pub(super) host: &'a str,
    pub(super) kind: Kind,
    pub(super) gateway: &'a Gateway,
    /// Where it is heard that the issuer wants to be left alone.
    pub(super) rest: Rest,
}

fn not(doing: &'static str) -> impl Fn(instant_acme::Error) -> Failed {
    move |source| Failed::Issuer { doing, source }
}

/// Has an issuer find what it looks for, and asks for nothing.
pub(super) async fn rehearse(trial: &Trial<'_>, acme: &Acme) -> Result<(), Failed> {
    let account = account(trial, acme).await?;
    prove(trial, &account).await.map(|_| ())
}

/// A certificate, and its key after it, as PEM.
pub(super) async fn issue(trial: &Trial<'_>, acme: &Acme) -> Result<String, Failed> {
    let account = account(trial, acme).await?;
    let mut order = prove(trial, &account).await?;
    let key = KeyPair::generate().map_err(Failed::Request)?;
    let mut wanted = CertificateParams::new([bare(trial.host).to_owned()]).map_err(Failed::Request)?;
    wanted.distinguished_name = DistinguishedName::new();
    let request = wanted.serialize_request(&key).map_err(Failed::Request)?;
    order.finalize_csr(request.der()).await.map_err(not("take the request for a certificate"))?;
    let policy = RetryPolicy::new().timeout(PATIENCE);
    let chain = order.poll_certificate(&policy).await.map_err(not("issue the certificate"))?;
    Ok(format!("{}\n{}", chain.trim_end(), pem("PRIVATE KEY", key.serialized_der())))
}

/// The account that is kept for an issuer, or a new one.
async fn account(trial: &Trial<'_>, acme: &Acme) -> Result<Account, Failed> {
    let courier = || Courier::new(acme.roots.as_deref(), trial.rest.clone()).map_err(Failed::Lost);
    let path = trial.gateway.place.account(&issuer(acme));
    let kept = rim::read(&path, MOST_ACCOUNT).ok().flatten();
    if let Some(credentials) = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        let known = Account::builder_with_http(Box::new(courier()?)).from_credentials(credentials).await;
        return known.map_err(not("answer"));
    }
    let contact = acme.email.as_ref().map(|email| format!("mailto:{email}"));
    let contact: Vec<&str> = contact.as_deref().into_iter().collect();
    let wanted = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let builder = Account::builder_with_http(Box::new(courier()?));
    let (account, credentials) =
        builder.create(&wanted, acme.directory.clone(), None).await.map_err(not("make an account"))?;
    let text = serde_json::to_vec(&credentials).unwrap_or_default();
    rim::replace(&path, &text).map_err(|source| Failed::Unkept { path, source })?;
    Ok(account)
}

/// An order whose host the issuer found to be ours.
async fn prove(trial: &Trial<'_>, account: &Account) -> Result<Order, Failed> {
    let host = bare(trial.host);
    let identifier = host.parse::<IpAddr>().map_or_else(|_| Identifier::Dns(host.to_owned()), Identifier::Ip);
    let identifiers = [identifier];
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await.map_err(not("take the order"))?;
    let mut offered: Vec<Offered<'_>> = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(not("say what it looks for"))?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let kind = match trial.kind {
            Kind::Http => ChallengeType::Http01,
            Kind::Tls => ChallengeType::TlsAlpn01,
        };
        let mut challenge = authorization.challenge(kind).ok_or(Failed::NoChallenge)?;
        let proof = challenge.key_authorization();
        let challenges = &trial.gateway.certificates.challenges;
        offered.extend(match trial.kind {
            Kind::Http => Some(challenges.offer_request(trial.host, &challenge.token, proof.as_str())),
            Kind::Tls => challenges.offer_handshake(host, proof.digest().as_ref()),
        });
        challenge.set_ready().await.map_err(not("begin to look"))?;
    }
    let status = order.poll_ready(&RetryPolicy::new().timeout(PATIENCE)).await;
    drop(offered);
    match status.map_err(not("finish looking"))? {
        OrderStatus::Ready | OrderStatus::Valid => Ok(order),
        _ => Err(Failed::NotFound { reason: reason(&mut order).await }),
    }
}

/// What an issuer has to say of a host that it did not find to be ours.
async fn reason(order: &mut Order) -> String {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        if let Ok(state) = authorization.refresh().await
            && let Some(problem) = state.challenges.iter().find_map(|challenge| challenge.error.as_ref())
        {
            return problem.detail.clone().unwrap_or_else(|| problem.to_string());
        }
    }
    "it does not say why".to_owned()
}

fn bare(host: &str) -> &str {
    host.trim_matches(['[', ']'])
}
