//! The rules: one file each, one folder for each group.

use crate::Rule;

/// All rules.
pub const ALL: &[Rule] = &[];
