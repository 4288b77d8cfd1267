//! Keeps the promises the compiler cannot keep; each check says why its rule exists.

#![expect(clippy::disallowed_methods, reason = "these tests read the source tree, and nothing else")]

mod tidy {
    mod documents;
    mod length;
    mod licence;
    mod manifests;
    mod names;
    mod opening;
    mod reachable;
    mod registry;
    mod shortcuts;
    mod supply;
    mod tree;
    mod workplace;
}
