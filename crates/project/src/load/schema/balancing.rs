//! What `x-seaworthy.route` may say of balancing.

use std::time::Duration;

use super::Shape::{self, Choice, Form as A, List, Object as In};
use super::own::ANY_TYPE;
use super::policy::NETWORKS;
use super::{Form, Object};
use crate::load::typed::balancing::percent;
use crate::model::balancing::HashBy;
use crate::parse_duration;

/// The longest time that any of them may be: hardly a client waits longer for an answer.
const LONGEST: Duration = Duration::from_secs(600);

pub(super) const BALANCE: Shape = Choice(&["round-robin", "least-connections", "power-of-two", "hash"]);
pub(super) const WAIT: Shape = A(&TIME);
pub(super) const QUEUE: Shape = A(&REQUESTS);
pub(super) const HASH_BY: Shape = A(&CLIENTS);
pub(super) const WEIGHTS: Shape = List(&A(&WEIGHT));
pub(super) const SLOW_START: Shape = A(&TIME);
pub(super) const MAX_IN_FLIGHT: Shape = A(&REQUESTS);
pub(super) const EJECT: Shape = In(&EJECTION);
pub(super) const RETRIES: Shape = A(&PERCENT);

pub(super) const PROXY_PROTOCOL: Shape = In(&PROXY);

static PROXY: Object =
    Object::closed("`proxy_protocol`", &[("trust", NETWORKS), ("send", Choice(&["v1", "v2"]))]);

static TIME: Form = Form {
    expected: "a time from `0s` to `10m`, such as `10s`",
    types: ANY_TYPE,
    accepts: |text| parse_duration(text).is_ok_and(|time| time <= LONGEST),
    enforced: true,
};

static REQUESTS: Form = Form {
    expected: "a number of requests from 1 to 100000",
    types: ANY_TYPE,
    accepts: |text| text.parse::<u32>().is_ok_and(|count| (1..=100_000).contains(&count)),
    enforced: true,
};

static CLIENTS: Form = Form {
    expected: "`client`, `header NAME` or `cookie NAME`",
    types: ANY_TYPE,
    accepts: |text| HashBy::parse(text).is_some(),
    enforced: true,
};

static WEIGHT: Form = Form {
    expected: "a weight from 1 to 1000",
    types: ANY_TYPE,
    accepts: |text| text.parse::<u32>().is_ok_and(|weight| (1..=1000).contains(&weight)),
    enforced: true,
};

static EJECTION: Object = Object::closed("`eject`", &[("after", A(&ANSWERS)), ("for", A(&LEFT_OUT))]);

static ANSWERS: Form = Form {
    expected: "a number of answers from 0 to 1000, where 0 is never",
    types: ANY_TYPE,
    accepts: |text| text.parse::<u32>().is_ok_and(|count| count <= 1000),
    enforced: true,
};

static LEFT_OUT: Form = Form {
    expected: "a time from `1s` to `5m`, such as `10s`",
    types: ANY_TYPE,
    accepts: |text| {
        let range = Duration::from_secs(1)..=Duration::from_secs(300);
        parse_duration(text).is_ok_and(|time| range.contains(&time))
    },
    enforced: true,
};

static PERCENT: Form = Form {
    expected: "a share of the requests from `0%` to `100%`",
    types: ANY_TYPE,
    accepts: |text| percent(text).is_some(),
    enforced: true,
};
