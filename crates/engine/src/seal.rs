//! Sealing: what may hold secrets is encrypted before it touches a disk.

use seaworthy_project::Sensitive;

/// The key of a state folder, 32 bytes, kept in a file of mode 0600.
#[derive(Clone)]
pub struct SealKey([u8; 32]);

/// Why something could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed data cannot be opened: it was changed, cut short, or sealed with another key")]
pub struct OpenError;
