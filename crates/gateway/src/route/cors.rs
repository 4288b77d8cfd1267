//! Which other sites may read answers in a browser, as it is told and kept in the snapshot.

use std::str::FromStr;

use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// Cross-origin requests that browsers let scripts of other sites make.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cors {
    /// Origins such as `https://app.example`, or `*` alone.
    pub origins: Vec<String>,
    /// Whether they may be sent with cookies and passwords.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub credentials: bool,
    /// Methods they may use.
    pub methods: Vec<String>,
    /// Headers they may send; none is all that they ask for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// Headers of answers that they may read beside the plain ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expose: Vec<String>,
    /// How long browsers may keep what they were told.
    pub max_age_seconds: u64,
}

impl Cors {
    pub(super) fn contradiction(&self) -> Option<String> {
        let any = self.origins.iter().any(|origin| origin == "*");
        if self.origins.is_empty() || any && self.origins.len() > 1 {
            return Some("its other origins are none, or all and some".to_owned());
        }
        if any && self.credentials {
            return Some("it lets every other site ask with its users' cookies".to_owned());
        }
        let origin = |origin: &&String| *origin != "*" && HeaderValue::from_str(origin).is_err();
        let header = |name: &&String| HeaderName::from_str(name).is_err();
        let mut wrong = self.origins.iter().filter(origin);
        let mut names = self.headers.iter().chain(&self.expose).filter(header);
        let mut methods = self.methods.iter().filter(|method| Method::from_str(method).is_err());
        wrong
            .next()
            .or(names.next())
            .or(methods.next())
            .map(|text| format!("`{text}` cannot be said in a header"))
    }
}
