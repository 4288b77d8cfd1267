//! `tls`, at a route and for all routes.

use super::super::{Form, Object, Shape};
use super::ANY_TYPE;
use super::Shape::{Boolean, Choice, Either, Form as A, Object as In, Text};
use crate::load::typed::tls::hsts;

/// A word, or a map.
pub(super) const TLS: Shape = Either(&[A(&WORD), In(&OBJECT)]);

static WORD: Form = Form {
    expected: "`self-signed`, `acme`, `off`, or a map with `files: {certificate, key}`",
    types: ANY_TYPE,
    accepts: |text| crate::load::typed::tls::mode(text).is_some(),
    enforced: true,
};

static OBJECT: Object = Object::closed(
    "`tls`",
    &[
        ("mode", Choice(&["self-signed", "acme", "off"])),
        ("files", In(&FILES)),
        ("acme", In(&ACME)),
        ("hsts", A(&HSTS)),
        ("redirect", Boolean),
        ("clients", In(&CLIENTS)),
    ],
);

static FILES: Object = Object::closed("`files`", &[("certificate", Text), ("key", Text)]);

static CLIENTS: Object =
    Object::closed("`clients`", &[("ca", Text), ("certificate", Choice(&["required", "optional"]))]);

static ACME: Object =
    Object::closed("`acme`", &[("directory", A(&DIRECTORY)), ("email", A(&EMAIL)), ("roots", Text)]);

static DIRECTORY: Form = Form {
    expected: "`letsencrypt`, `letsencrypt-staging`, or the address of a directory such as `https://ca.example/acme/directory`",
    types: ANY_TYPE,
    accepts: |text| {
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        matches!(text, "letsencrypt" | "letsencrypt-staging")
            || (plain && text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()))
    },
    enforced: true,
};

static EMAIL: Form = Form {
    expected: "an address such as `ops@shop.example`",
    types: ANY_TYPE,
    accepts: |text| {
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',' && byte != b'?');
        plain && text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
    },
    enforced: true,
};

static HSTS: Form = Form {
    expected: "a time such as `365d`, or `off`",
    types: ANY_TYPE,
    accepts: |text| hsts(text).is_some(),
    enforced: true,
};
