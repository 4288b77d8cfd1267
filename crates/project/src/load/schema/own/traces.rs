//! `traces`, at a route and for all routes.

use super::super::balancing::RETRIES as PERCENT;
use super::super::{Form, Object, Shape};
use super::ANY_TYPE;
use super::Shape::{Either, Form as A, Object as In, Text};
use crate::load::typed::traces::is_endpoint;

/// An address, or a map.
pub(super) const TRACES: Shape = Either(&[A(&ENDPOINT), In(&OBJECT)]);

static OBJECT: Object = Object::closed(
    "`traces`",
    &[
        ("endpoint", A(&ENDPOINT)),
        ("sample", PERCENT),
        ("service_name", Text),
        ("headers_file", Text),
        ("roots", Text),
    ],
);

static ENDPOINT: Form = Form {
    expected: "the address of a collector, such as `http://127.0.0.1:4318`, or `off`",
    types: ANY_TYPE,
    accepts: is_endpoint,
    enforced: true,
};
