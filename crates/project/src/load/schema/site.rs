//! What `x-seaworthy.route` may say of what the gateway answers by itself.

use super::Shape::{self, Boolean, Either, Form as A, List, Object as In};
use super::own::ANY_TYPE;
use super::{Form, Object};
use crate::load::typed::site::percent;
use crate::model::policy::is_header;
use crate::model::site::{Origin, is_beginning, is_origin, is_pattern, is_target, is_type};
use crate::{Bytes, parse_duration};

pub(super) const REDIRECT: Shape = List(&In(&ONE));

static ONE: Object =
    Object::closed("`redirect`", &[("from", A(&FROM)), ("to", A(&TO)), ("status", A(&STATUS))])
        .required(&["from", "to"]);

static FROM: Form = Form {
    expected: "a path such as `/old` or `/old/*`, or another host such as `www.shop.example`",
    types: ANY_TYPE,
    accepts: |text| Origin::parse(text).is_some(),
    enforced: true,
};

static TO: Form = Form {
    expected: "a path such as `/new` or `/new/*`, a host such as `shop.example`, or an address such as `https://shop.example/*`",
    types: ANY_TYPE,
    accepts: is_target,
    enforced: true,
};

static STATUS: Form = Form {
    expected: "`301`, `302`, `307` or `308`",
    types: ANY_TYPE,
    accepts: |text| matches!(text, "301" | "302" | "307" | "308"),
    enforced: true,
};

pub(super) static ADD_PATH: Form = Form {
    expected: "what comes in front of a path, such as `/v1`",
    types: ANY_TYPE,
    accepts: is_beginning,
    enforced: true,
};

pub(super) static AUTH: Object = Object::closed("`auth`", &[("users", A(&SECRET)), ("realm", A(&REALM))]);

static SECRET: Form = Form {
    expected: "the name of a secret with lines of `name:hash`",
    types: ANY_TYPE,
    accepts: |text| !text.is_empty(),
    enforced: true,
};

static REALM: Form = Form {
    expected: "a name of at most 100 plain characters, without quotes",
    types: ANY_TYPE,
    accepts: |text| {
        let plain = |byte: u8| (0x20..0x7f).contains(&byte) && !matches!(byte, b'"' | b'\\');
        (1..=100).contains(&text.len()) && text.bytes().all(plain)
    },
    enforced: true,
};

pub(super) static CORS: Object = Object::closed(
    "`cors`",
    &[
        ("origins", List(&A(&SITE))),
        ("credentials", Boolean),
        ("methods", List(&A(&METHOD))),
        ("headers", List(&A(&HEADER))),
        ("expose", List(&A(&HEADER))),
        ("max_age", A(&MAX_AGE)),
    ],
);

static SITE: Form = Form {
    expected: "a site such as `https://app.example`, without path and without the scheme's own port, or `*`",
    types: ANY_TYPE,
    accepts: is_origin,
    enforced: true,
};

static METHOD: Form = Form {
    expected: "a method such as `PUT`",
    types: ANY_TYPE,
    accepts: |text| {
        !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
    },
    enforced: true,
};

static HEADER: Form =
    Form { expected: "the name of a header", types: ANY_TYPE, accepts: is_header, enforced: true };

static MAX_AGE: Form = Form {
    expected: "a time from `0s` to `24h`, such as `10m`",
    types: ANY_TYPE,
    accepts: |text| parse_duration(text).is_ok_and(|time| time.as_secs() <= 24 * 3600),
    enforced: true,
};

pub(super) static PAGES: Form = Form {
    expected: "a file such as `./error.html`, or a folder with files such as `404.html`",
    types: ANY_TYPE,
    accepts: |text| !text.is_empty() && !text.contains('\0'),
    enforced: true,
};

pub(super) const COMPRESS: Shape = Either(&[Boolean, In(&COMPRESSION)]);

static COMPRESSION: Object =
    Object::closed("`compress`", &[("min_size", A(&MIN_SIZE)), ("types", List(&A(&TYPE)))]);

static MIN_SIZE: Form = Form {
    expected: "a size such as `2KB`",
    types: ANY_TYPE,
    accepts: |text| Bytes::parse(text).is_ok(),
    enforced: true,
};

static TYPE: Form = Form {
    expected: "a content type such as `text/html`, `text/*` or `*+json`",
    types: ANY_TYPE,
    accepts: is_type,
    enforced: true,
};

pub(super) const FILES: Shape = Either(&[A(&FOLDER), In(&SHELF)]);

static SHELF: Object = Object::closed(
    "`files`",
    &[
        ("folder", A(&FOLDER)),
        ("fallback", A(&FALLBACK)),
        ("pass", List(&A(&PATTERN))),
        ("cache", A(&CACHE)),
        ("immutable", List(&A(&PATTERN))),
    ],
);

static FOLDER: Form = Form {
    expected: "a folder such as `./dist`",
    types: ANY_TYPE,
    accepts: |text| !text.is_empty() && !text.contains('\0'),
    enforced: true,
};

static FALLBACK: Form = Form {
    expected: "a file in that folder, such as `index.html`",
    types: ANY_TYPE,
    accepts: |text| !text.is_empty() && !text.starts_with('/') && !text.split('/').any(|part| part == ".."),
    enforced: true,
};

static PATTERN: Form = Form {
    expected: "a path such as `/api` or `/assets/*`",
    types: ANY_TYPE,
    accepts: is_pattern,
    enforced: true,
};

static CACHE: Form = Form {
    expected: "a time from `0s` to `365d`, such as `1h`",
    types: ANY_TYPE,
    accepts: |text| parse_duration(text).is_ok_and(|time| time.as_secs() <= 365 * 24 * 3600),
    enforced: true,
};

pub(super) static MAX_PER_CLIENT: Form = Form {
    expected: "a number of requests from 1 to 100000",
    types: ANY_TYPE,
    accepts: |text| text.parse::<u32>().is_ok_and(|most| (1..=100_000).contains(&most)),
    enforced: true,
};

pub(super) static CANARY: Object =
    Object::closed("`canary`", &[("service", Shape::Text), ("percent", A(&PERCENT))]);

static PERCENT: Form = Form {
    expected: "a share from `0%` to `100%`",
    types: ANY_TYPE,
    accepts: |text| percent(text).is_some(),
    enforced: true,
};

pub(super) static MIRROR: Object =
    Object::closed("`mirror`", &[("service", Shape::Text), ("percent", A(&PERCENT))]);
