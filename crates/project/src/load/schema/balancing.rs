//! What `x-seaworthy.route` may say of balancing.

use super::Form;
use super::own::ANY_TYPE;
use crate::parse_duration;

/// The longest wait for an instance: hardly a client waits longer for an answer.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(600);

pub(super) static WAIT: Form = Form {
    expected: "a time from `0s` to `10m`, such as `10s`",
    types: ANY_TYPE,
    accepts: |text| parse_duration(text).is_ok_and(|time| time <= LONGEST_WAIT),
    enforced: true,
};

pub(super) static QUEUE: Form = Form {
    expected: "a number of requests from 1 to 100000",
    types: ANY_TYPE,
    accepts: |text| text.parse::<u32>().is_ok_and(|count| (1..=100_000).contains(&count)),
    enforced: true,
};
