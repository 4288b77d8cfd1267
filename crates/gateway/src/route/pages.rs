//! Pages of the user's own for what the gateway answers by itself, as they are told and kept in the snapshot.

use std::collections::BTreeMap;

/// The longest page.
pub const MOST_PAGE_BYTES: usize = 64 << 10;
/// All pages of a route together.
const MOST_BYTES: usize = 512 << 10;
/// The page of a project that is being worked on.
pub const MAINTENANCE: &str = "maintenance";
/// The page of every other status.
pub(crate) const ANY: &str = "any";

pub(super) fn contradiction(pages: &BTreeMap<String, String>) -> Option<String> {
    let known = |which: &str| {
        [MAINTENANCE, ANY].contains(&which)
            || which.parse::<u16>().is_ok_and(|status| (400..600).contains(&status))
    };
    if let Some(which) = pages.keys().find(|which| !known(which)) {
        return Some(format!("there is no error `{which}` to have a page"));
    }
    let sizes: Vec<usize> = pages.values().map(String::len).collect();
    let long = sizes.iter().any(|size| *size > MOST_PAGE_BYTES) || sizes.iter().sum::<usize>() > MOST_BYTES;
    long.then(|| "its error pages are too long".to_owned())
}
