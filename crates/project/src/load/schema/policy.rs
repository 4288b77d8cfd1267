//! What `x-seaworthy.route` may say of limits and headers.

use super::Shape::{Boolean, Either, Form as A, List, Named, Object as In};
use super::own::ANY_TYPE;
use super::{Form, Object, Shape};
use crate::load::typed::policy::by_header;
use crate::model::policy::{MaxBody, Rate, is_header, is_network};
use crate::parse_duration;

/// The longest wait for a part of a body.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(3600);

pub(super) static MAX_BODY: Form = Form {
    expected: "a size such as `300MB`, or `unlimited`",
    types: ANY_TYPE,
    accepts: |text| MaxBody::parse(text).is_some(),
    enforced: true,
};

pub(super) static BODY_TIMEOUT: Form = Form {
    expected: "a time from `1ms` to `1h`, such as `60s`",
    types: ANY_TYPE,
    accepts: |text| parse_duration(text).is_ok_and(|time| time.as_millis() > 0 && time <= LONGEST_WAIT),
    enforced: true,
};

pub(super) const RATE_LIMIT: Shape = Either(&[A(&RATE), In(&LIMIT)]);

static LIMIT: Object =
    Object::closed("`rate_limit`", &[("rate", A(&RATE)), ("burst", A(&BURST)), ("by", A(&BY))])
        .required(&["rate"]);

static RATE: Form = Form {
    expected: "a rate such as `1000/min`, `5/s` or `100/10s`",
    types: ANY_TYPE,
    accepts: |text| Rate::parse(text).is_some(),
    enforced: true,
};

static BURST: Form = Form {
    expected: "a number of requests from 1 to 4294967295",
    types: ANY_TYPE,
    accepts: |text| text.parse::<u32>().is_ok_and(|count| count > 0),
    enforced: true,
};

static BY: Form = Form {
    expected: "`client`, or a header such as `header X-Api-Key`",
    types: ANY_TYPE,
    accepts: |text| text == "client" || by_header(text).is_some(),
    enforced: true,
};

pub(super) const NETWORKS: Shape = List(&A(&NETWORK));

static NETWORK: Form = Form {
    expected: "an address or a network such as `10.0.0.0/8`",
    types: ANY_TYPE,
    accepts: is_network,
    enforced: true,
};

pub(super) static HEADERS: Object =
    Object::closed("`headers`", &[("secure", Boolean), ("request", In(&EDITS)), ("response", In(&EDITS))]);

static EDITS: Object = Object::closed(
    "changes of headers",
    &[("remove", List(&A(&NAME))), ("set", Named(&A(&VALUE))), ("add", Named(&A(&VALUE)))],
);

static NAME: Form =
    Form { expected: "the name of a header", types: ANY_TYPE, accepts: is_header, enforced: true };

static VALUE: Form = Form {
    expected: "a value that a header can have: one line",
    types: ANY_TYPE,
    accepts: |text| text.bytes().all(|byte| byte == b'\t' || (0x20..0x7f).contains(&byte)),
    enforced: true,
};
