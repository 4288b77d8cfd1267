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
    Most { path: &'static str, connections: u32, fresh: bool, tls: bool },
    /// The same over HTTP/2 with TLS, so many requests at a time on each connection: `h2load`.
    Streams { path: &'static str, connections: u32, streams: u32 },
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

pub(super) const CASES: [Case; 10] = [
    Case {
        name: "small body, 64 connections",
        kind: Kind::Most { path: SMALL, connections: 64, fresh: false, tls: false },
    },
    Case {
        name: "100 KB bodies, 64 connections",
        kind: Kind::Most { path: LARGE, connections: 64, fresh: false, tls: false },
    },
    Case {
        name: "small body, 1,000 connections",
        kind: Kind::Most { path: SMALL, connections: 1_000, fresh: false, tls: false },
    },
    Case {
        name: "a connection for each request",
        kind: Kind::Most { path: SMALL, connections: 64, fresh: true, tls: false },
    },
    Case {
        name: "HTTPS, small body, 64 connections",
        kind: Kind::Most { path: SMALL, connections: 64, fresh: false, tls: true },
    },
    Case {
        name: "HTTPS, 100 KB bodies, 64 connections",
        kind: Kind::Most { path: LARGE, connections: 64, fresh: false, tls: true },
    },
    Case {
        name: "HTTPS, a connection for each request",
        kind: Kind::Most { path: SMALL, connections: 64, fresh: true, tls: true },
    },
    Case {
        name: "HTTP/2, small body, 8 connections with 8 requests each",
        kind: Kind::Streams { path: SMALL, connections: 8, streams: 8 },
    },
    Case { name: "latency at 70 % load", kind: Kind::Fixed { path: SMALL, connections: 64, percent: 70 } },
    Case { name: "memory", kind: Kind::Idle { connections: 10_000 } },
];
