//! `ports` (Compose Specification, "ports").

use std::fmt;

/// One published or exposed port; ranges are expanded to one each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The port inside.
    pub target: u16,
    /// The port on the host; `None` when the engine may choose one.
    pub published: Option<u16>,
    /// The address on the host; `None` is all of them.
    pub host_ip: Option<String>,
    /// The protocol.
    pub protocol: Protocol,
    /// `app_protocol`, such as `http`.
    pub app_protocol: Option<String>,
}

/// The protocol of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// TCP, the default.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}
