//! The cases, as data: what is asked, over how many connections, and what is to hold beside the peers.

/// One thing that is measured.
#[derive(Debug)]
pub(super) struct Case {
    /// What it is called, in the table and for `--only`.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// How it is measured.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// As many requests as there can be, by a closed model: `wrk`.
    Most { path: &'static str, connections: u32, fresh: bool },
    /// Latency at a fixed share of what the slowest of the quick ones can do, by an open model.
    Fixed { path: &'static str, connections: usize, percent: u32 },
    /// Memory of all processes: after the start, and with so many idle connections of which each made one request.
    Idle { connections: usize },
}

/// What a small answer is, and where a large one lies.
pub(super) const SMALL: &str = "/";
pub(super) const LARGE: &str = "/large";
/// Bytes of either.
pub(super) const SMALL_BODY: &str = "hello, world";
pub(super) const LARGE_BYTES: usize = 100 << 10;

pub(super) const CASES: [Case; 6] = [
    Case {
        name: "small body, 64 connections",
        kind: Kind::Most { path: SMALL, connections: 64, fresh: false },
    },
    Case {
        name: "100 KB bodies, 64 connections",
        kind: Kind::Most { path: LARGE, connections: 64, fresh: false },
    },
    Case {
        name: "small body, 1,000 connections",
        kind: Kind::Most { path: SMALL, connections: 1_000, fresh: false },
    },
    Case {
        name: "a connection for each request",
        kind: Kind::Most { path: SMALL, connections: 64, fresh: true },
    },
    Case { name: "latency at 70 % load", kind: Kind::Fixed { path: SMALL, connections: 64, percent: 70 } },
    Case { name: "memory", kind: Kind::Idle { connections: 10_000 } },
];
