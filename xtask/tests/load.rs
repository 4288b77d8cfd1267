//! The load generator against servers that serve, stall, fail and vanish on purpose.

#![expect(clippy::disallowed_methods, reason = "these tests wait for real time to pass at a real server")]

mod load {
    mod server;
    mod told;
    mod ways;
}
